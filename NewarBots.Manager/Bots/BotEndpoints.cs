using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Access;
using NewarBots.Manager.Bots.Events;
using NewarBots.Manager.Finalizing;
using NewarBots.Manager.Launching;
using NewarBots.Manager.Removing;
using NewarBots.Manager.Scheduling;
using NewarBots.Manager.Tracking;
using JsonOptions = Microsoft.AspNetCore.Http.Json.JsonOptions;

namespace NewarBots.Manager.Bots;

/// <summary>The API's calls on bots.</summary>
internal static class BotEndpoints
{
    public const int MaxBodyBytes = 64 * 1024;
    private const int MaxIdempotencyKeyLength = 255;
    private const int DefaultPageSize = 50;
    private const int MaxPageSize = 200;

    /// <summary>A place in the queue becomes free when some meeting ends, which nobody can foretell.</summary>
    private const string RetryAfterSeconds = "30";

    private const string ConversionRetryAfterSeconds = "10";

    /// <summary>Their file names have five digits.</summary>
    private const int MaxChunks = 99_999;

    private const int AsManyAsThereAre = -1;

    private const string LogType = "text/plain; charset=utf-8";

    /// <summary>RFC 7234, 5.5.1.</summary>
    private const string StaleWarning = "110 - \"Response is Stale\"";

    public static IEndpointRouteBuilder MapBots(this IEndpointRouteBuilder routes)
    {
        var bots = routes.MapGroup("/bots").WithTags("Bots");
        bots.MapPost("", CreateAsync).WithName("CreateBot").Accepts<object>("application/json");
        bots.MapGet("", ListAsync).WithName("ListBots");
        bots.MapGet("/events", EventEndpoints.WatchAsync).WithName("WatchBots");

        var bot = bots.MapGroup($"/{{id:{SessionIdConstraint.Name}}}").ForOwnBotsAlone();
        bot.MapGet("", GetAsync).WithName("GetBot");
        bot.MapPatch("", ChangeAsync).WithName("ChangeBot").Accepts<object>("application/json");
        bot.MapPost("/stop", StopAsync).WithName("StopBot");
        bot.MapDelete("", DeleteAsync).WithName("DeleteBot");
        bot.MapGet("/events", EventEndpoints.FollowAsync).WithName("FollowBot");
        bot.MapGet("/logs", GetLogAsync).WithName("GetBotLog");
        bot.MapGet("/recording", GetRecordingAsync).WithName("GetRecording");
        bot.MapMethods("/recording", [HttpMethods.Head], GetRecordingAsync).ExcludeFromDescription();
        bot.MapGet("/manifest", GetManifestAsync).WithName("GetManifest");
        bot.MapGet("/evidence", GetEvidenceAsync).WithName("GetEvidence");
        return routes;
    }

    /// <summary>Accepts a bot; everything slow comes later, in the background.</summary>
    private static async Task<Results<Accepted<BotResponse>, ProblemHttpResult>> CreateAsync(
        HttpRequest request,
        [FromHeader(Name = "Idempotency-Key")] string? idempotencyKey,
        Caller caller, BotStore store, MeetingUrlPolicy policy, IOptions<LaunchingOptions> launching, LaunchSignal launches, ScheduleSignal schedule,
        TimeProvider time,
        CancellationToken cancellation)
    {
        if (idempotencyKey is { Length: 0 or > MaxIdempotencyKeyLength })
            return BotProblems.InvalidRequest("Idempotency-Key", $"must have 1 to {MaxIdempotencyKeyLength} characters");
        if (!request.HasJsonContentType())
            return BotProblems.UnsupportedMediaType();
        if (await RequestBody.ReadAsync(request, MaxBodyBytes, cancellation) is not { } body)
            return RequestBody.TooLong(MaxBodyBytes);
        var now = time.GetUtcNow();
        var (asked, faults) = CreateBotRequest.Read(body, policy, caller, now);
        if (asked is null)
            return BotProblems.InvalidRequest(faults);

        var bot = new Bot
        {
            Id = SessionId.New(time),
            UserId = asked.UserId,
            Status = asked.StartAt > now ? BotStatus.Scheduled : BotStatus.Queued,
            MeetingUrl = asked.MeetingUrl,
            Platform = asked.Platform,
            BotName = asked.BotName,
            Leave = asked.Leave,
            Metadata = asked.Metadata,
            CreatedAt = now,
            StartAt = asked.StartAt,
            TraceParent = Activity.Current?.Id,
        };
        Activity.Current?.SetTag(Telemetry.ManagerTelemetry.BotIdTag, bot.Id.ToString());
        var key = idempotencyKey is null ? null : new IdempotencyKey(idempotencyKey, Convert.ToHexStringLower(SHA256.HashData(body)));
        switch (await store.CreateAsync(bot, key, BotLimits.Of(launching.Value)))
        {
            case CreateResult.Created created:
                if (created.Bot.Status is BotStatus.Scheduled)
                    schedule.Raise();
                else
                    launches.Raise();
                return Accepted(created.Bot);
            case CreateResult.Repeated repeated:
                return Accepted(repeated.Bot);
            case CreateResult.MeetingTaken taken:
                return BotProblems.MeetingTaken(taken.Holder);
            case CreateResult.OverQuota:
                return BotProblems.OverQuota(bot.UserId, launching.Value.MaxConcurrentBotsPerUser);
            case CreateResult.TooManyScheduled:
                return BotProblems.TooManyScheduled(bot.UserId, launching.Value.MaxScheduledBotsPerUser);
            case CreateResult.TooLate:
                return BotProblems.StartsTooLate();
            case CreateResult.QueueFull:
                request.HttpContext.Response.Headers.RetryAfter = RetryAfterSeconds;
                return BotProblems.QueueFull(launching.Value.MaxQueuedBots);
            default:
                return BotProblems.KeyReused();
        }
    }

    private static async Task<Results<Ok<BotResponse>, ProblemHttpResult>> GetAsync(SessionId id, BotStore store, HttpResponse response) =>
        await LookUpAsync(id, store, response) is { } bot ? TypedResults.Ok(BotResponse.Of(bot)) : BotProblems.NotFound();

    /// <summary>One page of bots, newest first.</summary>
    private static async Task<Results<Ok<BotPage>, ProblemHttpResult>> ListAsync(
        Caller caller, BotStore store, string? status, string? userId, string? limit, string? cursor, HttpResponse response, CancellationToken cancellation)
    {
        var faults = new Dictionary<string, string[]>();
        BotStatus? wanted = null;
        if (status is not null)
        {
            if (WireWord.TryParse<BotStatus>(status, out var parsed))
                wanted = parsed;
            else
                faults["status"] = [$"must be one of {string.Join(", ", Enum.GetValues<BotStatus>().Select(WireWord.Of))}"];
        }

        var (user, fault) = caller.Among(userId);
        if (fault is not null)
            faults["userId"] = [fault];

        SessionId? after = null;
        if (cursor is not null)
        {
            if (SessionId.TryParse(cursor, provider: null, out var parsed))
                after = parsed;
            else
                faults["cursor"] = ["must be a nextCursor that this call has answered"];
        }

        var size = DefaultPageSize;
        if (limit is not null && (!int.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out size) || size is < 1 or > MaxPageSize))
            faults["limit"] = [$"must be a number from 1 to {MaxPageSize}"];
        if (faults.Count > 0)
            return BotProblems.InvalidRequest(faults);

        List<Bot> found;
        try
        {
            found = await store.NewestAsync(user, wanted, after, batch: size + 1, cancellation).Take(size + 1).ToListAsync(cancellation);
        }
        catch (Exception exception) when (exception.IsRedisAway())
        {
            response.Headers.Warning = StaleWarning;
            found = [.. store.NewestKnown(user, after).Where(bot => wanted is null || bot.Status == wanted).Take(size + 1)];
        }

        var page = found.Take(size).Select(BotResponse.Of).ToList();
        return TypedResults.Ok(new BotPage(page, found.Count > size ? page[^1].Id.ToString() : null));
    }

    /// <summary>Changes a bot that has not started yet.</summary>
    private static async Task<Results<Ok<BotResponse>, ProblemHttpResult>> ChangeAsync(
        SessionId id, HttpRequest request, BotStore store, ScheduleSignal schedule, TimeProvider time, CancellationToken cancellation)
    {
        if (!request.HasJsonContentType())
            return BotProblems.UnsupportedMediaType();
        if (await RequestBody.ReadAsync(request, MaxBodyBytes, cancellation) is not { } body)
            return RequestBody.TooLong(MaxBodyBytes);
        if (await store.FindAsync(id) is not { } known)
            return BotProblems.NotFound();
        var now = time.GetUtcNow();
        var (change, faults) = CreateBotRequest.ReadChange(body, now);
        if (change is null)
            return BotProblems.InvalidRequest(faults);
        if (change.StartAt + (change.Leave ?? known.Leave).MaxDuration <= now)
            return BotProblems.StartsTooLate();
        if (await store.UpdateAsync(id, bot => BotLifecycle.Changed(bot, change, now)) is not { } changed)
            return BotProblems.NotFound();
        if (changed.Status is not BotStatus.Scheduled)
            return BotProblems.NotScheduled(changed);
        schedule.Raise();
        return TypedResults.Ok(BotResponse.Of(changed));
    }

    private static async Task<Results<Accepted<BotResponse>, ProblemHttpResult>> StopAsync(
        SessionId id, BotStore store, BotStopper stopper, LaunchSignal launches, TimeProvider time)
    {
        if (await store.FindAsync(id) is not { } known)
            return BotProblems.NotFound();
        if (known.Status.IsTerminal())
            return BotProblems.AlreadyEnded(known);
        if (await store.UpdateAsync(id, bot => BotLifecycle.StopAsked(bot, time.GetUtcNow())) is not { } asked)
            return BotProblems.NotFound();
        if (asked.AwaitsContainer)
            launches.Raise();
        else if (!asked.Status.IsTerminal())
            stopper.Enqueue(id);
        return Accepted(asked);
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> DeleteAsync(
        SessionId id, BotStore store, BotRemover remover, CancellationToken cancellation)
    {
        if (await store.FindAsync(id) is not { } bot)
            return BotProblems.NotFound();
        if (!bot.Status.IsTerminal())
            return BotProblems.StillActive(bot);
        await remover.DeleteAsync(bot, cancellation);
        return TypedResults.NoContent();
    }

    private static async Task<IResult> GetLogAsync(
        SessionId id, string? follow, BotStore store, BotLog log, IHostApplicationLifetime lifetime, HttpResponse response, CancellationToken cancellation)
    {
        if (follow is not (null or "true" or "false"))
            return BotProblems.InvalidRequest("follow", "must be true or false");
        if (await LookUpAsync(id, store, response) is not { } bot)
            return BotProblems.NotFound();
        if (follow is not "true")
            return TypedResults.Text(await log.ReadAsync(bot, cancellation), LogType);

        await log.EnsureReadableAsync(bot, cancellation);
        response.ContentType = LogType;
        response.Headers["X-Accel-Buffering"] = "no";
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellation, lifetime.ApplicationStopping);
        try
        {
            await response.Body.FlushAsync(end.Token);
            await log.FollowAsync(bot, response.Body, end.Token);
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // Whoever read it has gone, or the manager goes.
        }
        catch (ContainerEngineException exception)
        {
            await response.WriteAsync(BotLog.EndedBy(exception), cancellation);
        }

        return TypedResults.Empty;
    }

    private static async Task<IResult> GetRecordingAsync(
        SessionId id, BotStore store, StorageLayout storage, RecordingConverter converter, RecordingSoFar soFar, IOptions<FinalizingOptions> finalizing,
        string? format, string? track, string? partial, string? chunks,
        HttpResponse response, CancellationToken cancellation)
    {
        if (AudioFormat.Find(format ?? AudioFormat.Ogg.Name) is not { } wanted)
            return BotProblems.InvalidRequest("format", $"must be one of {string.Join(", ", AudioFormat.All.Select(known => known.Name))}");
        var number = 0;
        if (track is not null && !int.TryParse(track, NumberStyles.None, CultureInfo.InvariantCulture, out number))
            return BotProblems.InvalidRequest("track", "must be the number of a track");
        if (partial is not (null or "true" or "false"))
            return BotProblems.InvalidRequest("partial", "must be true or false");
        var closed = partial is "true" ? AsManyAsThereAre : 0;
        if (chunks is not null && (!int.TryParse(chunks, NumberStyles.None, CultureInfo.InvariantCulture, out closed) || closed is < 1 or > MaxChunks))
            return BotProblems.InvalidRequest("chunks", $"must be a number from 1 to {MaxChunks}");
        if (await LookUpAsync(id, store, response) is not { } bot)
            return BotProblems.NotFound();
        if (!bot.Status.IsTerminal())
            return wanted == AudioFormat.Ogg && track is null ? await GetRecordingSoFarAsync(bot, soFar, closed, cancellation) : BotProblems.RecordingNotReady(bot);
        if (chunks is not null)
            return TypedResults.Redirect($"/bots/{id}/recording{QueryOf(("format", format), ("track", track))}");
        var path = storage.Recording(bot.UserId, id);
        if (bot.Recording is null || !File.Exists(path))
            return BotProblems.NoRecording(bot);
        if (track is not null)
        {
            path = storage.Track(bot.UserId, id, number);
            if (!File.Exists(path))
                return BotProblems.NoTrack(TracksOf(bot, storage));
        }

        if (wanted != AudioFormat.Ogg)
        {
            try
            {
                var length = TimeSpan.FromSeconds(bot.Recording.DurationSeconds);
                if (await converter.ConvertAsync(path, length, wanted, finalizing.Value.ConversionPatience, cancellation) is not { } converted)
                {
                    response.Headers.RetryAfter = ConversionRetryAfterSeconds;
                    return BotProblems.BeingConverted(wanted.Name);
                }

                path = converted;
            }
            catch (FileNotFoundException)
            {
                return BotProblems.NotFound();
            }
            catch (Exception exception) when (exception is FinalizationException or FFmpegMissingException or IOException)
            {
                return BotProblems.NotConverted(wanted.Name, exception.Message);
            }
        }

        return TypedResults.PhysicalFile(
            path, wanted.ContentType, Path.GetFileName(path), new DateTimeOffset(File.GetLastWriteTimeUtc(path)), enableRangeProcessing: true);
    }

    /// <summary>
    /// Sends to what there is so far, under an address of its own: what lies there never changes, so that a player may take it in
    /// parts while the recording grows.
    /// </summary>
    private static async Task<IResult> GetRecordingSoFarAsync(Bot bot, RecordingSoFar soFar, int chunks, CancellationToken cancellation)
    {
        if (chunks == AsManyAsThereAre && soFar.ClosedChunks(bot.UserId, bot.Id) is > 0 and var closed)
            return TypedResults.Redirect($"/bots/{bot.Id}/recording?chunks={closed}");
        try
        {
            return chunks > 0 && await soFar.OpenAsync(bot.UserId, bot.Id, chunks, cancellation) is { } file
                ? TypedResults.File(file, AudioFormat.Ogg.ContentType, entityTag: new($"\"{bot.Id}-{chunks}\""), enableRangeProcessing: true)
                : BotProblems.RecordingNotReady(bot);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            // It is just becoming the finished recording.
            return BotProblems.RecordingNotReady(bot);
        }
        catch (Exception exception) when (exception is FinalizationException or FFmpegMissingException or IOException)
        {
            return BotProblems.NotMadeSoFar(exception.Message);
        }
    }

    private static QueryString QueryOf(params IEnumerable<(string Name, string? Value)> parameters) =>
        QueryString.Create(parameters.Where(parameter => parameter.Value is not null).Select(parameter => KeyValuePair.Create(parameter.Name, parameter.Value)));

    private static IEnumerable<int> TracksOf(Bot bot, StorageLayout storage) =>
        RecordingManifest.TryRead(storage.Manifest(bot.UserId, bot.Id))?.Tracks.Where(track => track.File is not null).Select(track => track.Track) ?? [];

    private static async Task<IResult> GetManifestAsync(SessionId id, BotStore store, StorageLayout storage, HttpResponse response)
    {
        if (await LookUpAsync(id, store, response) is not { } bot)
            return BotProblems.NotFound();
        if (!bot.Status.IsTerminal())
            return BotProblems.RecordingNotReady(bot);
        var path = storage.Manifest(bot.UserId, id);
        return File.Exists(path) ? TypedResults.PhysicalFile(path, "application/json") : BotProblems.NoRecording(bot);
    }

    /// <summary>A zip of what is known about a failure: page, console, connections, log.</summary>
    private static async Task<IResult> GetEvidenceAsync(
        SessionId id, BotStore store, BotLog log, EvidenceFolder evidence, IOptions<JsonOptions> json, CancellationToken cancellation)
    {
        if (await store.FindAsync(id) is not { } bot)
            return BotProblems.NotFound();
        if (!bot.Status.IsTerminal())
            return BotProblems.EvidenceNotReady(bot);
        var description = JsonSerializer.SerializeToUtf8Bytes(BotResponse.Of(bot), json.Value.SerializerOptions);
        return evidence.Pack(bot, description, await log.ReadAsync(bot, cancellation)) is { } zip
            ? TypedResults.File(zip, "application/zip", $"{id}.evidence.zip")
            : BotProblems.NoEvidence(bot);
    }

    /// <summary>While Redis is away, a look is answered with what this manager knew last, and says so.</summary>
    private static async Task<Bot?> LookUpAsync(SessionId id, BotStore store, HttpResponse response)
    {
        var (bot, isStale) = await store.LookUpAsync(id);
        if (isStale)
            response.Headers.Warning = StaleWarning;
        return bot;
    }

    private static Accepted<BotResponse> Accepted(Bot bot) => TypedResults.Accepted($"/bots/{bot.Id}", BotResponse.Of(bot));
}
