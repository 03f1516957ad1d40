using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using NewarBots.Contract;
using NewarBots.Manager.Access;
using NewarBots.Manager.Api;
using NewarBots.Manager.Api.OpenApi;
using NewarBots.Manager.Bots.Events;
using NewarBots.Manager.Bots.Listing;
using NewarBots.Manager.Bots.Storage;

namespace NewarBots.Manager.Bots;

/// <summary>Create, read and change bots. <see cref="ListEndpoint"/> lists them, and <see cref="EventEndpoints"/> streams their events.</summary>
internal static class BotEndpoints
{
    public const int MaxIdempotencyKeyLength = 255;

    /// <summary>A rough wait: a slot becomes free when a meeting ends, which cannot be predicted.</summary>
    private const string RetryAfterSeconds = "30";

    public static IEndpointRouteBuilder MapBots(this IEndpointRouteBuilder routes)
    {
        var bots = routes.MapGroup("/bots").WithTags("Bots").RejectUnknownParameters();
        bots.MapPost("", CreateAsync).WithName("CreateBot").Accepts<CreateBotBody>("application/json").WithProblems(
            ProblemTypes.InvalidRequest, ProblemTypes.RequestTimeout, ProblemTypes.MeetingTaken, ProblemTypes.UnsupportedMediaType,
            ProblemTypes.IdempotencyKeyReused, ProblemTypes.UserOverQuota, ProblemTypes.TooManyScheduled, ProblemTypes.TooManyBots,
            ProblemTypes.QueueFull, ProblemTypes.StorageUnavailable);
        bots.MapList();
        bots.MapGet("/events", EventEndpoints.WatchAsync).WithName("WatchBots")
            .Produces<WatchEvent>(StatusCodes.Status200OK, "text/event-stream")
            .WithProblems(ProblemTypes.InvalidRequest, ProblemTypes.TooManyStreams, ProblemTypes.StreamsFull);

        var bot = routes.MapBotGroup();
        bot.MapGet("", GetAsync).WithName("GetBot").WithProblems(ProblemTypes.BotNotFound, ProblemTypes.NoSuchCall).WithStaleWarning();
        bot.MapPatch("", ChangeAsync).WithName("ChangeBot").Accepts<ChangeBotBody>("application/json").WithProblems(
            ProblemTypes.InvalidRequest, ProblemTypes.BotNotFound, ProblemTypes.NoSuchCall, ProblemTypes.RequestTimeout,
            ProblemTypes.BotNotScheduled, ProblemTypes.UnsupportedMediaType);
        bot.MapParticipants();
        bot.MapGet("/events", EventEndpoints.FollowAsync).WithName("FollowBot")
            .Produces<FollowEvent>(StatusCodes.Status200OK, "text/event-stream")
            .WithProblems(
                ProblemTypes.InvalidRequest, ProblemTypes.BotNotFound, ProblemTypes.NoSuchCall, ProblemTypes.TooManyStreams, ProblemTypes.StreamsFull);
        return routes;
    }

    /// <summary>The group of all endpoints of one bot, <c>/bots/{id}</c>. Callers reach only their own bots.</summary>
    public static RouteGroupBuilder MapBotGroup(this IEndpointRouteBuilder routes) =>
        routes.MapGroup($"/bots/{{id:{SessionIdConstraint.Name}}}").WithTags("Bots").RequireOwnBot().RejectUnknownParameters();

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
        [Description("Makes it safe to repeat the request for 24 hours. Counts for the API key that sends it.")]
        string? idempotencyKey,
        Caller caller, BotRequests requests, CancellationToken cancellation)
    {
        if (!request.HasJsonContentType())
            return ApiProblems.UnsupportedMediaType();
        if (await RequestBody.ReadAsync(request, RequestBody.MaxBytes, cancellation) is not { } body)
            return RequestBody.TooLong(RequestBody.MaxBytes);
        var answer = await requests.AcceptAsync(body, idempotencyKey, caller, cancellation);
        if (answer.Result is ProblemHttpResult { StatusCode: StatusCodes.Status503ServiceUnavailable })
            request.HttpContext.Response.Headers.RetryAfter = RetryAfterSeconds;
        return answer;
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

    /// <summary>Change a bot</summary>
    /// <remarks>
    /// Each given member replaces the whole previous value; absent or null members keep theirs. `botName` and `metadata` can be changed at any time, the other
    /// members only while the bot is scheduled. The meeting keeps showing the name with which the bot joined, and the manifest keeps name and metadata as they
    /// were at the end. A `startAt` in the past starts the bot at once. The user cannot be changed.
    /// </remarks>
    /// <param name="id" example="0199aaaabbbbccccddddeeeeffff0001">The bot's id.</param>
    /// <response code="200">The changed bot.</response>
    public static async Task<Results<Ok<BotResponse>, ProblemHttpResult>> ChangeAsync(
        SessionId id, HttpRequest request, BotQueries queries, BotCommands commands, MeetingUrlPolicy policy, ScheduleSignal schedule, TimeProvider time,
        CancellationToken cancellation)
    {
        if (!request.HasJsonContentType())
            return ApiProblems.UnsupportedMediaType();
        if (await RequestBody.ReadAsync(request, RequestBody.MaxBytes, cancellation) is not { } body)
            return RequestBody.TooLong(RequestBody.MaxBytes);
        if (await queries.FindAsync(id) is not { } known)
            return BotProblems.NotFound();
        var now = time.GetUtcNow();
        var (change, faults) = CreateBotRequest.ReadChange(body, policy, now);
        if (change is null)
            return ApiProblems.InvalidRequest(faults);
        if (change.StartAt + (change.Leave ?? known.Leave).MaxDuration <= now)
            return BotProblems.StartsTooLate();
        if (await commands.UpdateAsync(id, bot => BotLifecycle.Changed(bot, change, now)) is not { } changed)
            return BotProblems.NotFound();
        if (change.IsOfScheduledBots && changed.Status is not BotStatus.Scheduled)
            return BotProblems.NotScheduled(changed);
        schedule.Raise();
        return TypedResults.Ok(BotResponse.Of(changed));
    }

    public static Accepted<BotResponse> Accepted(Bot bot) => TypedResults.Accepted($"/bots/{bot.Id}", BotResponse.Of(bot));
}
