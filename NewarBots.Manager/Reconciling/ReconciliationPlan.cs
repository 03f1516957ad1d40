using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Launching;

namespace NewarBots.Manager.Reconciling;

/// <summary>One thing to be mended between what the records say and what the engine runs.</summary>
internal abstract record Reconciliation(SessionId Id)
{
    /// <summary>Its recorder is gone and nobody has taken it to its end.</summary>
    public sealed record TakeToItsEnd(SessionId Id) : Reconciliation(Id);

    /// <summary>It was asked to stop and still runs.</summary>
    public sealed record StopAgain(Bot Bot) : Reconciliation(Bot.Id);

    /// <summary>A recorder runs, or ended, that no record knows. It is left alone and reported.</summary>
    public sealed record Report(RecorderContainer Container) : Reconciliation(Container.Id);
}

/// <summary>Compares what is known with what is there; a pure function of both.</summary>
internal static class ReconciliationPlan
{
    /// <summary>
    /// How long a container may be missing from the engine's list after its launch before that counts as its end: the
    /// list may have been taken before the launch was recorded.
    /// </summary>
    public static TimeSpan DoubtAfterLaunch { get; } = TimeSpan.FromSeconds(30);

    /// <param name="known">The records of all active bots, and of those whose containers are still there.</param>
    /// <param name="containers">The engine's list, taken before the records were read.</param>
    /// <param name="now">The time of the look.</param>
    public static IReadOnlyList<Reconciliation> Make(
        IReadOnlyCollection<Bot> known, IReadOnlyCollection<RecorderContainer> containers, DateTimeOffset now)
    {
        var containerOf = containers.ToDictionary(container => container.Id);
        var knownIds = known.Select(bot => bot.Id).ToHashSet();
        return
        [
            .. known.Select(bot => OfBot(bot, containerOf.GetValueOrDefault(bot.Id), now)).OfType<Reconciliation>(),
            .. containers.Where(container => !knownIds.Contains(container.Id)).Select(container => new Reconciliation.Report(container)),
        ];
    }

    private static Reconciliation? OfBot(Bot bot, RecorderContainer? container, DateTimeOffset now) => (bot, container) switch
    {
        ({ Status: BotStatus.Finalizing }, _) => new Reconciliation.TakeToItsEnd(bot.Id),
        (_, { State: RecorderContainerState.Exited }) => new Reconciliation.TakeToItsEnd(bot.Id),
        (_, { State: RecorderContainerState.Running }) when bot.StopRequested => new Reconciliation.StopAgain(bot),
        ({ Status: > BotStatus.Queued and < BotStatus.Finalizing, LaunchedAt: { } launchedAt }, null)
            when now - launchedAt > DoubtAfterLaunch => new Reconciliation.TakeToItsEnd(bot.Id),
        _ => null,
    };
}
