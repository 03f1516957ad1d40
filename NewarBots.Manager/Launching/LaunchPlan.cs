using NewarBots.Contract;
using NewarBots.Manager.Bots;

namespace NewarBots.Manager.Launching;

/// <summary>Which bots get a container next: those that wait for one, in the order in which they were due, as far as there is room.</summary>
internal static class LaunchPlan
{
    /// <param name="candidates">All bots that have left the queue and have not ended, and as many as have room of those that are first in it.</param>
    /// <param name="capacity">How many may have a container at once.</param>
    public static IReadOnlyList<Bot> Next(IEnumerable<Bot> candidates, int capacity)
    {
        var bots = candidates.OrderBy(bot => bot.DueAt).ThenBy(bot => bot.Id).ToList();
        // A bot that is being launched holds a place, whether its container is there yet or not.
        var launching = bots.Where(bot => bot is { Status: BotStatus.Launching, AwaitsContainer: true });
        var queued = bots.Where(bot => bot.Status is BotStatus.Queued);
        var taken = bots.Count(bot => bot.Status is > BotStatus.Queued and < BotStatus.Finalizing);
        return [.. launching, .. queued.Take(Math.Max(0, capacity - taken))];
    }
}
