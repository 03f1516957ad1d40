using Microsoft.AspNetCore.Http.HttpResults;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Storage;

namespace NewarBots.Manager.Launching;

/// <summary><c>POST /bots/{id}/stop</c>.</summary>
internal static class StopEndpoint
{
    public static IEndpointRouteBuilder MapStop(this IEndpointRouteBuilder routes)
    {
        routes.MapBotGroup().MapPost("/stop", StopAsync).WithName("StopBot");
        return routes;
    }

    private static async Task<Results<Accepted<BotResponse>, ProblemHttpResult>> StopAsync(
        SessionId id, BotQueries queries, BotCommands commands, BotStopper stopper, LaunchSignal launches, TimeProvider time)
    {
        if (await queries.FindAsync(id) is not { } known)
            return BotProblems.NotFound();
        if (known.Status.IsTerminal())
            return BotProblems.AlreadyEnded(known);
        if (await commands.UpdateAsync(id, bot => BotLifecycle.StopAsked(bot, time.GetUtcNow())) is not { } asked)
            return BotProblems.NotFound();
        if (asked.AwaitsContainer)
            launches.Raise();
        else if (!asked.Status.IsTerminal())
            stopper.Enqueue(id);
        return BotEndpoints.Accepted(asked);
    }
}
