using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Access;
using NewarBots.Manager.Api;
using NewarBots.Manager.Bots.Events;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Hosting;

namespace NewarBots.Manager.Bots;

/// <summary>The API's calls on bots.</summary>
internal static class BotEndpoints
{
    private const int MaxIdempotencyKeyLength = 255;
    private const int DefaultPageSize = 50;
    private const int MaxPageSize = 200;

    /// <summary>A place in the queue becomes free when some meeting ends, which nobody can foretell.</summary>
    private const string RetryAfterSeconds = "30";

    public static IEndpointRouteBuilder MapBots(this IEndpointRouteBuilder routes)
    {
        var bots = routes.MapGroup("/bots").WithTags("Bots");
        bots.MapPost("", CreateAsync).WithName("CreateBot").Accepts<object>("application/json");
        bots.MapGet("", ListAsync).WithName("ListBots");
        bots.MapGet("/events", EventEndpoints.WatchAsync).WithName("WatchBots");

        var bot = routes.MapBotGroup();
        bot.MapGet("", GetAsync).WithName("GetBot");
        bot.MapPatch("", ChangeAsync).WithName("ChangeBot").Accepts<object>("application/json");
        bot.MapGet("/events", EventEndpoints.FollowAsync).WithName("FollowBot");
        return routes;
    }

    /// <summary>The group of all calls on one bot, <c>/bots/{id}</c>: callers reach their own bots only.</summary>
    public static RouteGroupBuilder MapBotGroup(this IEndpointRouteBuilder routes) =>
        routes.MapGroup($"/bots/{{id:{SessionIdConstraint.Name}}}").WithTags("Bots").ForOwnBotsAlone();

    /// <summary>Accepts a bot; everything slow comes later, in the background.</summary>
    private static async Task<Results<Accepted<BotResponse>, ProblemHttpResult>> CreateAsync(
        HttpRequest request,
        [FromHeader(Name = "Idempotency-Key")] string? idempotencyKey,
        Caller caller, BotCommands commands, MeetingUrlPolicy policy, IOptions<BotCapacityOptions> launching, LaunchSignal launches, ScheduleSignal schedule,
        TimeProvider time,
        CancellationToken cancellation)
    {
        if (idempotencyKey is { Length: 0 or > MaxIdempotencyKeyLength })
            return ApiProblems.InvalidRequest("Idempotency-Key", $"must have 1 to {MaxIdempotencyKeyLength} characters");
        if (!request.HasJsonContentType())
            return ApiProblems.UnsupportedMediaType();
        if (await RequestBody.ReadAsync(request, RequestBody.MaxBytes, cancellation) is not { } body)
            return RequestBody.TooLong(RequestBody.MaxBytes);
        var now = time.GetUtcNow();
        var (asked, faults) = CreateBotRequest.Read(body, policy, caller, now);
        if (asked is null)
            return ApiProblems.InvalidRequest(faults);

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
        Activity.Current?.SetTag(BotTracing.BotIdTag, bot.Id.ToString());
        var key = idempotencyKey is null ? null : new IdempotencyKey(idempotencyKey, Convert.ToHexStringLower(SHA256.HashData(body)));
        switch (await commands.CreateAsync(bot, key, BotLimits.Of(launching.Value)))
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

    private static async Task<Results<Ok<BotResponse>, ProblemHttpResult>> GetAsync(SessionId id, BotQueries queries, HttpResponse response) =>
        await queries.LookUpAsync(id, response) is { } bot ? TypedResults.Ok(BotResponse.Of(bot)) : BotProblems.NotFound();

    /// <summary>One page of bots, newest first.</summary>
    private static async Task<Results<Ok<BotPage>, ProblemHttpResult>> ListAsync(
        Caller caller, BotQueries queries, string? status, string? userId, string? limit, string? cursor, HttpResponse response, CancellationToken cancellation)
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

    /// <summary>Changes a bot that has not started yet.</summary>
    private static async Task<Results<Ok<BotResponse>, ProblemHttpResult>> ChangeAsync(
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
