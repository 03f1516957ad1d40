using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Access;
using NewarBots.Manager.Api;
using NewarBots.Manager.Api.OpenApi;
using NewarBots.Manager.Bots.Events;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Bots.Transcripts;
using NewarBots.Manager.Hosting;

namespace NewarBots.Manager.Bots;

/// <summary>Create, list, read and change bots. <see cref="EventEndpoints"/> streams their events.</summary>
internal static class BotEndpoints
{
    private const int MaxIdempotencyKeyLength = 255;
    private const int DefaultPageSize = 50;
    private const int MaxPageSize = 200;

    /// <summary>A rough wait: a slot becomes free when a meeting ends, which cannot be predicted.</summary>
    private const string RetryAfterSeconds = "30";

    public static IEndpointRouteBuilder MapBots(this IEndpointRouteBuilder routes)
    {
        var bots = routes.MapGroup("/bots").WithTags("Bots");
        bots.MapPost("", CreateAsync).WithName("CreateBot").Accepts<CreateBotBody>("application/json").WithProblems(
            ProblemTypes.InvalidRequest, ProblemTypes.RequestTimeout, ProblemTypes.MeetingTaken, ProblemTypes.UnsupportedMediaType,
            ProblemTypes.IdempotencyKeyReused, ProblemTypes.UserOverQuota, ProblemTypes.TooManyScheduled, ProblemTypes.TooManyBots,
            ProblemTypes.QueueFull, ProblemTypes.StorageUnavailable);
        bots.MapGet("", ListAsync).WithName("ListBots").WithProblems(ProblemTypes.InvalidRequest).WithStaleWarning();
        bots.MapGet("/events", EventEndpoints.WatchAsync).WithName("WatchBots")
            .Produces<WatchEvent>(StatusCodes.Status200OK, "text/event-stream")
            .WithProblems(ProblemTypes.InvalidRequest, ProblemTypes.TooManyStreams, ProblemTypes.StreamsFull);

        var bot = routes.MapBotGroup();
        bot.MapGet("", GetAsync).WithName("GetBot").WithProblems(ProblemTypes.BotNotFound, ProblemTypes.NoSuchCall).WithStaleWarning();
        bot.MapPatch("", ChangeAsync).WithName("ChangeBot").Accepts<ChangeBotBody>("application/json").WithProblems(
            ProblemTypes.InvalidRequest, ProblemTypes.BotNotFound, ProblemTypes.NoSuchCall, ProblemTypes.RequestTimeout,
            ProblemTypes.BotNotScheduled, ProblemTypes.UnsupportedMediaType);
        bot.MapGet("/events", EventEndpoints.FollowAsync).WithName("FollowBot")
            .Produces<FollowEvent>(StatusCodes.Status200OK, "text/event-stream")
            .WithProblems(
                ProblemTypes.InvalidRequest, ProblemTypes.BotNotFound, ProblemTypes.NoSuchCall, ProblemTypes.TooManyStreams, ProblemTypes.StreamsFull);
        return routes;
    }

    /// <summary>The group of all endpoints of one bot, <c>/bots/{id}</c>. Callers reach only their own bots.</summary>
    public static RouteGroupBuilder MapBotGroup(this IEndpointRouteBuilder routes) =>
        routes.MapGroup($"/bots/{{id:{SessionIdConstraint.Name}}}").WithTags("Bots").RequireOwnBot();

    /// <summary>Send a bot into a meeting</summary>
    /// <remarks>
    /// Returns at once; the bot starts in the background. With an `Idempotency-Key`, repeating the same request returns the same bot.
    /// With `startAt`, the bot is `scheduled` until then, and does not count as active or occupy its meeting. If at that time the user
    /// already has a bot in the meeting or the maximum of active bots, it waits; `reason` and `error` say why. It starts as soon as possible, until
    /// `startAt` + `leave.maxDuration`.
    /// </remarks>
    /// <response code="202">The bot is accepted.</response>
    public static async Task<Results<Accepted<BotResponse>, ProblemHttpResult>> CreateAsync(
        HttpRequest request,
        [FromHeader(Name = "Idempotency-Key"), MinLength(1), MaxLength(MaxIdempotencyKeyLength)]
        [Description("Makes it safe to repeat the request for 24 hours."), Example("meeting-2026-03-01")]
        string? idempotencyKey,
        Caller caller, BotCreator creator, MeetingUrlPolicy policy, IOptions<BotCapacityOptions> capacity, IOptions<TranscriptionOptions> transcription,
        StorageCheck storage, TimeProvider time,
        CancellationToken cancellation)
    {
        if (idempotencyKey is { Length: 0 or > MaxIdempotencyKeyLength })
            return ApiProblems.InvalidRequest("Idempotency-Key", $"must have 1 to {MaxIdempotencyKeyLength} characters");
        if (!request.HasJsonContentType())
            return ApiProblems.UnsupportedMediaType();
        if (await RequestBody.ReadAsync(request, RequestBody.MaxBytes, cancellation) is not { } body)
            return RequestBody.TooLong(RequestBody.MaxBytes);
        var (wanted, faults) = CreateBotRequest.Read(body, policy, caller, time.GetUtcNow());
        if (wanted is null)
            return ApiProblems.InvalidRequest(faults);
        if (TranscriptChoice.FindFault(wanted.Transcript, transcription.Value) is { } unavailable)
            return ApiProblems.InvalidRequest("transcript.enabled", unavailable);

        // A scheduled bot writes nothing yet.
        if (!(wanted.StartAt > time.GetUtcNow()) && await storage.FindFaultAsync(cancellation) is { } fault)
        {
            request.HttpContext.Response.Headers.RetryAfter = RetryAfterSeconds;
            return BotProblems.StorageUnavailable(fault);
        }

        var limits = capacity.Value;
        switch (await creator.CreateAsync(wanted, body, idempotencyKey))
        {
            case CreateResult.Created created:
                return Accepted(created.Bot);
            case CreateResult.Repeated repeated:
                return Accepted(repeated.Bot);
            case CreateResult.MeetingTaken taken:
                return BotProblems.MeetingTaken(taken.Holder);
            case CreateResult.OverQuota:
                return BotProblems.OverQuota(wanted.UserId, limits.MaxConcurrentBotsPerUser);
            case CreateResult.TooManyScheduled:
                return BotProblems.TooManyScheduled(wanted.UserId, limits.MaxScheduledBotsPerUser);
            case CreateResult.TooManyOnRecord:
                return BotProblems.TooManyOnRecord(wanted.UserId, limits.MaxBotsPerUser);
            case CreateResult.TooLate:
                return BotProblems.StartsTooLate();
            case CreateResult.QueueFull:
                request.HttpContext.Response.Headers.RetryAfter = RetryAfterSeconds;
                return BotProblems.QueueFull(limits.MaxQueuedBots);
            default:
                return BotProblems.IdempotencyKeyReused();
        }
    }

    /// <summary>Get a bot</summary>
    /// <remarks>Returns the bot's current state.</remarks>
    /// <param name="id" example="0199aaaabbbbccccddddeeeeffff0001">The bot's id.</param>
    /// <response code="200">The bot.</response>
    public static async Task<Results<Ok<BotResponse>, ProblemHttpResult>> GetAsync(
        SessionId id, BotQueries queries, TraceLinks traces, HttpResponse response) =>
        await queries.LookUpAsync(id, response) is { } bot
            ? TypedResults.Ok(BotResponse.Of(bot) with { TraceUrl = traces.Of(bot) })
            : BotProblems.NotFound();

    /// <summary>List bots</summary>
    /// <remarks>Returns one page of bots, newest first.</remarks>
    /// <param name="status" example="completed">Only bots with this status.</param>
    /// <param name="userId" example="default">Only bots of this user. Default: all bots that the caller may see.</param>
    /// <param name="limit" example="20">Maximum number of bots on the page. Default: 50.</param>
    /// <param name="cursor" example="0199aaaabbbbccccddddeeeeffff0001">`nextCursor` of the previous page.</param>
    /// <response code="200">A page of bots.</response>
    public static async Task<Results<Ok<BotPage>, ProblemHttpResult>> ListAsync(
        Caller caller, BotQueries queries,
        [ParsedAs(typeof(BotStatus))] string? status, [ParsedAs(typeof(UserId))] string? userId,
        [ParsedAs(typeof(int)), Range(1, MaxPageSize)] string? limit, [ParsedAs(typeof(SessionId))] string? cursor,
        HttpResponse response, CancellationToken cancellation)
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

        var (user, fault) = caller.ResolveUser(userId);
        if (fault is not null)
            faults["userId"] = [fault];

        SessionId? after = null;
        if (cursor is not null)
        {
            if (SessionId.TryParse(cursor, provider: null, out var parsed))
                after = parsed;
            else
                faults["cursor"] = ["must be a nextCursor returned by this endpoint"];
        }

        var size = DefaultPageSize;
        if (limit is not null && (!int.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out size) || size is < 1 or > MaxPageSize))
            faults["limit"] = [$"must be a number from 1 to {MaxPageSize}"];
        if (faults.Count > 0)
            return ApiProblems.InvalidRequest(faults);

        List<Bot> found;
        try
        {
            found = await queries.NewestAsync(user, wanted, after, batch: size + 1, cancellation).Take(size + 1).ToListAsync(cancellation);
        }
        catch (Exception exception) when (exception.IsRedisUnavailable())
        {
            response.Headers.Warning = BotLookup.StaleWarning;
            found = [.. queries.NewestCached(user, after).Where(bot => wanted is null || bot.Status == wanted).Take(size + 1)];
        }

        var page = found.Take(size).Select(BotResponse.Of).ToList();
        return TypedResults.Ok(new BotPage(page, found.Count > size ? page[^1].Id.ToString() : null));
    }

    /// <summary>Change a scheduled bot</summary>
    /// <remarks>
    /// Each given member replaces the whole previous value; absent or null members keep theirs. A `startAt` in the past starts the bot at once.
    /// The meeting and the user cannot be changed.
    /// </remarks>
    /// <param name="id" example="0199aaaabbbbccccddddeeeeffff0001">The bot's id.</param>
    /// <response code="200">The changed bot.</response>
    public static async Task<Results<Ok<BotResponse>, ProblemHttpResult>> ChangeAsync(
        SessionId id, HttpRequest request, BotQueries queries, BotCommands commands, ScheduleSignal schedule, TimeProvider time, CancellationToken cancellation)
    {
        if (!request.HasJsonContentType())
            return ApiProblems.UnsupportedMediaType();
        if (await RequestBody.ReadAsync(request, RequestBody.MaxBytes, cancellation) is not { } body)
            return RequestBody.TooLong(RequestBody.MaxBytes);
        if (await queries.FindAsync(id) is not { } known)
            return BotProblems.NotFound();
        var now = time.GetUtcNow();
        var (change, faults) = CreateBotRequest.ReadChange(body, now);
        if (change is null)
            return ApiProblems.InvalidRequest(faults);
        if (change.StartAt + (change.Leave ?? known.Leave).MaxDuration <= now)
            return BotProblems.StartsTooLate();
        if (await commands.UpdateAsync(id, bot => BotLifecycle.Changed(bot, change, now)) is not { } changed)
            return BotProblems.NotFound();
        if (changed.Status is not BotStatus.Scheduled)
            return BotProblems.NotScheduled(changed);
        schedule.Raise();
        return TypedResults.Ok(BotResponse.Of(changed));
    }

    public static Accepted<BotResponse> Accepted(Bot bot) => TypedResults.Accepted($"/bots/{bot.Id}", BotResponse.Of(bot));
}
