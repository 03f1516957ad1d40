using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using NewarBots.Contract;
using NewarBots.Manager.Access;
using NewarBots.Manager.Api;
using NewarBots.Manager.Bots.Storage;

namespace NewarBots.Manager.Bots.Events;

/// <summary>What happens to bots, as it happens.</summary>
internal static class EventEndpoints
{
    /// <summary>Server-sent events of one bot: its history first, then what is said, until it has ended.</summary>
    public static async Task<Results<EmptyHttpResult, NoContent, ProblemHttpResult>> FollowAsync(
        SessionId id,
        [FromHeader(Name = "Last-Event-ID")] string? lastEventId,
        BotQueries queries, BotEvents events, TimeProvider time, IHostApplicationLifetime lifetime,
        HttpContext context)
    {
        var after = BotEvents.FromTheBeginning;
        if (lastEventId is not null && !IsEntryId(after = lastEventId))
            return ApiProblems.InvalidRequest("Last-Event-ID", "must be the id of an event that this call has answered");
        if ((await queries.LookUpAsync(id)).Bot is not { } bot)
            return BotProblems.NotFound();
        // To a browser's EventSource, which comes back after every end, this alone says that there is nothing to come back for.
        if (lastEventId is not null && !await events.HasMoreAsync(bot, after))
            return TypedResults.NoContent();
        await SendAsync(context, lifetime, time, (stream, cancellation) => events.FollowAsync(id, after, stream, cancellation));
        return TypedResults.Empty;
    }

    /// <summary>Server-sent events of all bots: the active ones first, then each one whenever it changes.</summary>
    public static async Task<Results<EmptyHttpResult, ProblemHttpResult>> WatchAsync(
        Caller caller, string? userId, BotEvents events, TimeProvider time, IHostApplicationLifetime lifetime, HttpContext context)
    {
        var (user, fault) = caller.Among(userId);
        if (fault is not null)
            return ApiProblems.InvalidRequest("userId", fault);

        await SendAsync(context, lifetime, time, (stream, cancellation) => events.WatchAsync(user, stream, cancellation));
        return TypedResults.Empty;
    }

    /// <summary>Sends until the client goes or the manager does: one that waited for its clients would not stop.</summary>
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
            // Nobody is there to be told.
        }
    }

    /// <summary>Two numbers, as Redis gives them to the entries of a stream; behind the greatest there is none.</summary>
    private static bool IsEntryId(string text) =>
        text.Split('-') is [var milliseconds, var number] && IsNumber(milliseconds) && IsNumber(number);

    private static bool IsNumber(string text) =>
        ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number < ulong.MaxValue;
}
