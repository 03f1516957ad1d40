using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Ending;

namespace NewarBots.Manager.Reconciling;

/// <summary>One thing to be mended between what the records say, what the engine runs and what lies on the disk.</summary>
internal abstract record Reconciliation(SessionId Id)
{
    /// <summary>It lives, or has left audio, and nobody knows it: it becomes a record again.</summary>
    /// <param name="Id">From its container's label or its folder's name.</param>
    /// <param name="UserId">Likewise.</param>
    /// <param name="Container">How its container is; <see langword="null"/> where there is none.</param>
    public sealed record Adopt(SessionId Id, UserId UserId, RecorderContainerState? Container) : Reconciliation(Id);

    /// <summary>Its recorder is gone and nobody has taken it to its end, or cleared up behind it.</summary>
    public sealed record TakeToItsEnd(SessionId Id) : Reconciliation(Id);

    /// <summary>It still runs and should not: it was asked to stop, or its life is over by its record.</summary>
    public sealed record Stop(SessionId Id) : Reconciliation(Id);

    /// <summary>It has ended, its recording is there, and nobody knows it: it becomes a record again.</summary>
    public sealed record Recall(SessionId Id, UserId UserId) : Reconciliation(Id);

    /// <summary>It should have left long ago, and its own watchdog has not seen to it.</summary>
    public sealed record StopOverdue(SessionId Id) : Reconciliation(Id);
}

/// <summary>
/// Compares records, containers, folders and recordings; a pure function of these. A plan made right after one was carried out is
/// empty. Containers and folders are looked at before the records are read: every bot has a record before it has either, so
/// one without a record is not just being born.
/// </summary>
internal static class ReconciliationPlan
{
    /// <summary>
    /// That the engine does not know a container is no proof of death: its list may be older than the launch, or the engine
    /// another one than before. It is believed once neither a launch nor a byte on the disk has been newer than this, by the wall clock
    /// or, where that was set back, by looking again; a recorder in a call writes each second.
    /// </summary>
    public static TimeSpan Doubt { get; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// A recorder leaves by itself at the end of its longest life, and its watchdog ends it where it does not. One that is frozen,
    /// or was before its watchdog was set, is given this much longer.
    /// </summary>
    public static TimeSpan OverdueAfter { get; } = TimeSpan.FromMinutes(5);

    /// <param name="known">The records of all active bots, and of those whose container, folder or recording is given here.</param>
    /// <param name="containers">This stack's, one a session.</param>
    /// <param name="folders">The sessions on the disk.</param>
    /// <param name="recordings">Finished ones that may be on no record.</param>
    /// <param name="signs">What has come of the recorders of those that are known and of those that have a folder.</param>
    /// <param name="now">The time of the look.</param>
    public static IReadOnlyList<Reconciliation> Make(
        IReadOnlyCollection<Bot> known,
        IReadOnlyCollection<RecorderContainer> containers,
        IReadOnlyCollection<SessionOnDisk> folders,
        IReadOnlyCollection<FinalSession> recordings,
        IReadOnlyDictionary<SessionId, Liveness> signs,
        DateTimeOffset now)
    {
        var botOf = known.ToDictionary(bot => bot.Id);
        var containerOf = containers.ToDictionary(container => container.Id);
        var folderOf = folders.ToLookup(folder => folder.Id);
        var ids = botOf.Keys.Union(containerOf.Keys).Union(folders.Select(folder => folder.Id)).Order();
        return
        [
            .. ids.SelectMany(id =>
            {
                var container = containerOf.GetValueOrDefault(id);
                return botOf.TryGetValue(id, out var bot)
                    ? OfKnown(bot, container, folderOf[id].FirstOrDefault(folder => folder.UserId == bot.UserId), signs.GetValueOrDefault(id), now)
                    : OfUnknown(container, folderOf[id].FirstOrDefault(folder => folder.HasAudio), signs.GetValueOrDefault(id), now);
            }),
            // Last: those that live are not to wait for them.
            .. recordings
                .Where(recording => !botOf.ContainsKey(recording.Id) && !containerOf.ContainsKey(recording.Id) && !folderOf[recording.Id].Any(folder => folder.HasAudio))
                .Select(recording => new Reconciliation.Recall(recording.Id, recording.UserId)),
        ];
    }

    private static IEnumerable<Reconciliation> OfUnknown(
        RecorderContainer? container, SessionOnDisk? folder, Liveness? signs, DateTimeOffset now) => (container, folder) switch
        {
            ({ State: RecorderContainerState.Exited }, _) =>
            [
                new Reconciliation.Adopt(container.Id, container.UserId, container.State),
                new Reconciliation.TakeToItsEnd(container.Id),
            ],
            ({ }, _) => [new Reconciliation.Adopt(container.Id, container.UserId, container.State)],
            (null, { }) when now - folder.WrittenAt > Doubt || signs?.Silent > Doubt =>
            [
                new Reconciliation.Adopt(folder.Id, folder.UserId, Container: null),
                new Reconciliation.TakeToItsEnd(folder.Id),
            ],
            _ => [],
        };

    private static IEnumerable<Reconciliation> OfKnown(
        Bot bot, RecorderContainer? container, SessionOnDisk? folder, Liveness? signs, DateTimeOffset now) => (bot, container?.State) switch
        {
            (_, RecorderContainerState.Running) when bot.StopRequested || bot.Status >= BotStatus.Finalizing =>
                [new Reconciliation.Stop(bot.Id)],
            (_, RecorderContainerState.Running) => signs is not null && IsOverdue(bot, signs, now) ? [new Reconciliation.StopOverdue(bot.Id)] : [],
            (_, RecorderContainerState.Exited) => [new Reconciliation.TakeToItsEnd(bot.Id)],
            ({ Status: BotStatus.Finalizing }, _) => [new Reconciliation.TakeToItsEnd(bot.Id)],
            _ when bot.Status.IsTerminal() => container is null ? [] : [new Reconciliation.TakeToItsEnd(bot.Id)],
            // The launcher's own: it makes the container, or starts the one that an interrupted launch has made.
            ({ AwaitsContainer: true }, _) => [],
            _ when now - LastSignOfLife(bot, folder) > Doubt || signs?.Silent > Doubt => [new Reconciliation.TakeToItsEnd(bot.Id)],
            _ => [],
        };

    /// <summary>
    /// It was seen to run for longer than it may; or it should be gone by the wall clock, and gives no sign of life. The wall clock
    /// alone is not believed: it may have jumped, and a live recorder is never silent for longer than it waits to be let in.
    /// </summary>
    private static bool IsOverdue(Bot bot, Liveness signs, DateTimeOffset now)
    {
        var longestSilence = bot.Leave.WaitingRoomTimeout + OverdueAfter;
        var longestLife = bot.Leave.MaxDuration + longestSilence;
        return signs.Seen > longestLife
            || (signs.Silent > longestSilence && now - (bot.LaunchedAt ?? bot.CreatedAt) > longestLife);
    }

    private static DateTimeOffset LastSignOfLife(Bot bot, SessionOnDisk? folder)
    {
        var launched = bot.LaunchedAt ?? bot.CreatedAt;
        return folder is not null && folder.WrittenAt > launched ? folder.WrittenAt : launched;
    }
}
