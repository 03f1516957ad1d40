using Microsoft.AspNetCore.Http.HttpResults;
using NewarBots.Contract;
using NewarBots.Manager.Api;
using NewarBots.Manager.Api.OpenApi;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Hosting;

namespace NewarBots.Manager.Launching;

/// <summary><c>POST /bots/{id}/stop</c>.</summary>
internal static class StopEndpoint
{
    public static IEndpointRouteBuilder MapStop(this IEndpointRouteBuilder routes)
    {
        routes.MapBotGroup().MapPost("/stop", StopAsync).WithName("StopBot")
            .WithProblems(ProblemTypes.BotNotFound, ProblemTypes.NoSuchCall, ProblemTypes.BotEnded);
        return routes;
    }

    /// <summary>Stop a bot</summary>
    /// <remarks>
    /// The bot leaves the meeting, and its recording is kept. A bot that has not started yet ends at once. The request may be repeated
    /// until the bot has ended.
    /// </remarks>
    /// <param name="id" example="0199aaaabbbbccccddddeeeeffff0001">The bot's id.</param>
    /// <response code="202">The bot is leaving.</response>
    public static async Task<Results<Accepted<BotResponse>, ProblemHttpResult>> StopAsync(
        SessionId id, BotQueries queries, BotCommands commands, BotStopper stopper, LaunchSignal launches, TimeProvider time)
    {
        if (await queries.FindAsync(id) is not { } known)
            return BotProblems.NotFound();
        if (known.Status.IsTerminal())
            return BotProblems.AlreadyEnded(known);
        Bot? asked;
        try
        {
            asked = await commands.UpdateAsync(id, bot => BotLifecycle.StopAsked(bot, time.GetUtcNow()));
        }
        catch (Exception exception) when (exception.DescribeRejectedWrite() is not null && !known.AwaitsContainer)
        {
            // The recorder is stopped through the engine, and writes the reason to its journal.
            asked = BotLifecycle.StopAsked(known, time.GetUtcNow());
        }

        if (asked is null)
            return BotProblems.NotFound();
        if (asked.AwaitsContainer)
            launches.Raise();
        else if (!asked.Status.IsTerminal())
            stopper.Enqueue(id);
        return BotEndpoints.Accepted(asked);
    }
}
