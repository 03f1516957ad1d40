using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using NewarBots.Contract;
using NewarBots.Manager.Access;
using NewarBots.Manager.Api;
using NewarBots.Manager.Api.OpenApi;
using NewarBots.Manager.Bots.Storage;

namespace NewarBots.Manager.Bots.Events;

/// <summary>Streams the events of bots (server-sent events).</summary>
internal static class EventEndpoints
{
    /// <summary>Follow a bot</summary>
    /// <remarks>
    /// Server-sent events: all past status updates, then new ones, until the bot has ended. `event: status` has a status message.
    /// `participant.joined`, `participant.left`, `speaker.started` and `speaker.stopped` say who is in the call and who speaks; after connecting, they first
    /// describe the present state. The last event is `event: end` with the bot as in `GET /bots/{id}`. An idle stream sends a comment every 15 s. With
    /// `Last-Event-ID`, the stream resumes after that event, including events sent while Redis was unavailable.
    /// </remarks>
    /// <param name="id" example="0199aaaabbbbccccddddeeeeffff0001">The bot's id.</param>
    /// <response code="200">Events as they happen.</response>
    /// <response code="204">The bot has ended and no event follows `Last-Event-ID`. Tells a browser's EventSource not to reconnect.</response>
    public static async Task<Results<EmptyHttpResult, NoContent, ProblemHttpResult>> FollowAsync(
        SessionId id,
        [FromHeader(Name = "Last-Event-ID"), RegularExpression("^[0-9]+-[0-9]+$")]
        [Description("The id of the last received event. Browsers send it on their own."), Example("1772355600000-0")]
        string? lastEventId,
        BotQueries queries, BotEvents events, StreamLimits limits, TimeProvider time, IHostApplicationLifetime lifetime,
        HttpContext context)
    {
        var after = BotEvents.FromTheBeginning;
        if (lastEventId is not null && !IsEntryId(after = lastEventId))
            return ApiProblems.InvalidRequest("Last-Event-ID", "must be the id of an event of this stream");
        if ((await queries.LookUpAsync(id)).Bot is not { } bot)
            return BotProblems.NotFound();
        // A browser's EventSource reconnects whenever the stream ends, unless it gets 204.
        if (lastEventId is not null && !await events.HasMoreAsync(bot, after))
            return TypedResults.NoContent();
        if (await limits.EnterAsync(StreamKind.Events, context) is { } rejected)
            return rejected;
        await SendAsync(context, lifetime, time, (stream, cancellation) => events.FollowAsync(id, after, stream, cancellation));
        return TypedResults.Empty;
    }

    /// <summary>Follow all bots</summary>
    /// <remarks>
    /// Server-sent events: first all active and scheduled bots, then each bot whenever it changes (`event: bot`, the bot as in `GET /bots/{id}`).
    /// `event: deleted` has the id of a deleted bot. The stream does not end; an idle stream sends a comment every 15 s. It cannot be resumed: after a
    /// reconnect, call `GET /bots` for bots that ended or were deleted meanwhile.
    /// </remarks>
    /// <param name="userId" example="default">Only bots of this user. Default: all bots that the caller may see.</param>
    /// <response code="200">Events as they happen.</response>
    public static async Task<Results<EmptyHttpResult, ProblemHttpResult>> WatchAsync(
        Caller caller, [ParsedAs(typeof(UserId))] string? userId, BotEvents events, StreamLimits limits, TimeProvider time, IHostApplicationLifetime lifetime, HttpContext context)
    {
        var (user, fault) = caller.ResolveUser(userId);
        if (fault is not null)
            return ApiProblems.InvalidRequest("userId", fault);
        if (await limits.EnterAsync(StreamKind.Events, context) is { } rejected)
            return rejected;

        await SendAsync(context, lifetime, time, (stream, cancellation) => events.WatchAsync(user, stream, cancellation));
        return TypedResults.Empty;
    }

    /// <summary>Sends until the client disconnects or the manager stops. Open streams would otherwise delay the shutdown.</summary>
    private static async Task SendAsync(
        HttpContext context, IHostApplicationLifetime lifetime, TimeProvider time, Func<EventStream, CancellationToken, Task> send)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        try
        {
            await send(new(context.Response, time), end.Token);
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // The client has disconnected, or the manager is stopping.
        }
    }

    /// <summary>Checks the format of a Redis stream id. The greatest number is invalid, because no entry can follow it.</summary>
    private static bool IsEntryId(string text) =>
        text.Split('-') is [var milliseconds, var number] && IsNumber(milliseconds) && IsNumber(number);

    private static bool IsNumber(string text) =>
        ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number < ulong.MaxValue;
}
