using NewarBots.Contract;
using NewarBots.Manager.Bots;

namespace NewarBots.Manager.Launching;

/// <summary>
/// Decides which waiting bots get a container next, up to the capacity. Users take turns: the next bot is of the user with the fewest bots that have a container or
/// come before it, then of the user whose last launch is longest ago, and then the one that has been due longest. Among the bots of one user, the one that has been due longest comes first.
/// </summary>
internal static class LaunchPlan
{
    /// <param name="candidates">All bots that have left the queue and not ended, and the first queued bots of each user, up to the capacity.</param>
    /// <param name="capacity">Maximum number of bots that have a container.</param>
    /// <param name="launches">A number for each user that has had a launch, higher for a later one.</param>
    public static IReadOnlyList<Bot> Next(IEnumerable<Bot> candidates, int capacity, IReadOnlyDictionary<UserId, long> launches)
    {
        var bots = candidates.OrderBy(bot => bot.DueAt).ThenBy(bot => bot.Id).ToList();
        // A bot in launch takes a slot, with or without a container. An interrupted launch continues first.
        var launching = bots.Where(bot => bot is { Status: BotStatus.Launching, AwaitsContainer: true });
        var taken = bots.Where(bot => bot is { Status: > BotStatus.Queued and < BotStatus.Finalizing, FailedEnd: null }).ToList();
        var queued =
            from user in bots.Where(bot => bot.Status is BotStatus.Queued).GroupBy(bot => bot.UserId)
            let places = taken.Count(bot => bot.UserId == user.Key)
            from bot in user.Index()
            orderby places + bot.Index, launches.GetValueOrDefault(user.Key), bot.Item.DueAt, bot.Item.Id
            select bot.Item;
        return [.. launching, .. queued.Take(Math.Max(0, capacity - taken.Count))];
    }
}
