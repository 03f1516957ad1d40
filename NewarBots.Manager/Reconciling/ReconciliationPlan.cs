using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Ending;

namespace NewarBots.Manager.Reconciling;

/// <summary>One action that makes records, containers and files agree again.</summary>
internal abstract record Reconciliation(SessionId Id)
{
    /// <summary>Recreates the record of a bot that has a container or audio, but no record.</summary>
    /// <param name="Id">From the container's label or the folder's name.</param>
    /// <param name="UserId">From the container's label or the folder's name.</param>
    /// <param name="Container">The container's state; <see langword="null"/> if there is no container.</param>
    public sealed record RecoverBot(SessionId Id, UserId UserId, RecorderContainerState? Container) : Reconciliation(Id);

    /// <summary>Recreates the record of an ended bot that has a recording, but no record.</summary>
    public sealed record RecoverRecording(SessionId Id, UserId UserId) : Reconciliation(Id);

    /// <summary>Finishes a bot whose recorder is gone, or removes the container of an ended bot.</summary>
    public sealed record Finish(SessionId Id) : Reconciliation(Id);

    /// <summary>Stops a recorder that still runs although its bot was asked to stop or has ended.</summary>
    public sealed record Stop(SessionId Id) : Reconciliation(Id);

    /// <summary>Stops a recorder that runs longer than its maximum duration allows.</summary>
    public sealed record StopOverdue(SessionId Id) : Reconciliation(Id);
}

/// <summary>
/// Compares records, containers, session folders and recordings: a pure function. A second plan made right after the first was
/// carried out is empty. Containers and folders must be listed before the records are read: every bot has a record before it has
/// either, so a new bot is never taken for one without a record.
/// </summary>
internal static class ReconciliationPlan
{
    /// <summary>
    /// A container missing from the engine's list is no proof that the recorder is gone: the list may be older than the launch, or
    /// come from another engine. The recorder counts as gone once its launch and its last write are both older than this, by the
    /// wall clock, or by the monotonic clock if the wall clock was set back. A recorder in a call writes every second.
    /// </summary>
    public static TimeSpan GoneAfter { get; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Extra time for a recorder to leave at its maximum duration, or to be killed by its watchdog. A frozen recorder does neither.
    /// </summary>
    public static TimeSpan OverdueAfter { get; } = TimeSpan.FromMinutes(5);

    /// <param name="known">The records of all active bots, and of all bots that have one of the given containers, folders or recordings.</param>
    /// <param name="containers">This stack's containers, at most one per session.</param>
    /// <param name="folders">All session folders.</param>
    /// <param name="recordings">Finished recordings that may have no record.</param>
    /// <param name="liveness">Observations of the recorders in <paramref name="known"/> and <paramref name="folders"/>.</param>
    /// <param name="now">The current time.</param>
    public static IReadOnlyList<Reconciliation> Make(
        IReadOnlyCollection<Bot> known,
        IReadOnlyCollection<RecorderContainer> containers,
        IReadOnlyCollection<SessionOnDisk> folders,
        IReadOnlyCollection<FinalSession> recordings,
        IReadOnlyDictionary<SessionId, Liveness> liveness,
        DateTimeOffset now)
    {
        var botOf = known.ToDictionary(bot => bot.Id);
        var containerOf = containers.DistinctBy(container => container.Id).ToDictionary(container => container.Id);
        var folderOf = folders.ToLookup(folder => folder.Id);
        var ids = botOf.Keys.Union(containerOf.Keys).Union(folders.Select(folder => folder.Id)).Order();
        return
        [
            .. ids.SelectMany(id =>
            {
                var container = containerOf.GetValueOrDefault(id);
                return botOf.TryGetValue(id, out var bot)
                    ? ForKnown(bot, container, folderOf[id].FirstOrDefault(folder => folder.UserId == bot.UserId), liveness.GetValueOrDefault(id), now)
                    : ForUnknown(container, folderOf[id].FirstOrDefault(folder => folder.HasAudio), liveness.GetValueOrDefault(id), now);
            }),
            // Last, so that live bots do not wait for them.
            .. recordings
                .Where(recording => !botOf.ContainsKey(recording.Id) && !containerOf.ContainsKey(recording.Id) && !folderOf[recording.Id].Any(folder => folder.HasAudio))
                .Select(recording => new Reconciliation.RecoverRecording(recording.Id, recording.UserId)),
        ];
    }

    private static IEnumerable<Reconciliation> ForUnknown(
        RecorderContainer? container, SessionOnDisk? folder, Liveness? liveness, DateTimeOffset now) => (container, folder) switch
        {
            ({ State: RecorderContainerState.Exited }, _) =>
            [
                new Reconciliation.RecoverBot(container.Id, container.UserId, container.State),
                new Reconciliation.Finish(container.Id),
            ],
            ({ }, _) => [new Reconciliation.RecoverBot(container.Id, container.UserId, container.State)],
            (null, { }) when now - folder.WrittenAt > GoneAfter || liveness?.Inactive > GoneAfter =>
            [
                new Reconciliation.RecoverBot(folder.Id, folder.UserId, Container: null),
                new Reconciliation.Finish(folder.Id),
            ],
            _ => [],
        };

    private static IEnumerable<Reconciliation> ForKnown(
        Bot bot, RecorderContainer? container, SessionOnDisk? folder, Liveness? liveness, DateTimeOffset now) => (bot, container?.State) switch
        {
            _ when container is { MayRun: true } && (bot.StopRequested || bot.Status >= BotStatus.Finalizing) => [new Reconciliation.Stop(bot.Id)],
            (_, RecorderContainerState.Running) => liveness is not null && IsOverdue(bot, liveness, now) ? [new Reconciliation.StopOverdue(bot.Id)] : [],
            // Nobody knows when it starts, or whether it records, so no timeout ends it.
            (_, RecorderContainerState.Pending or RecorderContainerState.Unknown) => [],
            (_, RecorderContainerState.Exited) => [new Reconciliation.Finish(bot.Id)],
            ({ Status: BotStatus.Finalizing }, _) => [new Reconciliation.Finish(bot.Id)],
            _ when bot.Status.IsTerminal() => container is null ? [] : [new Reconciliation.Finish(bot.Id)],
            // The launcher's job: it creates the container, or starts the one that an interrupted launch created.
            ({ AwaitsContainer: true }, _) => [],
            _ when now - LastActivity(bot, folder) > GoneAfter || liveness?.Inactive > GoneAfter => [new Reconciliation.Finish(bot.Id)],
            _ => [],
        };

    /// <summary>
    /// The recorder was observed running longer than it may; or it is overdue by the wall clock and inactive. The wall clock alone is
    /// not enough, since it may have jumped. A live recorder is never inactive for longer than its waiting room timeout.
    /// </summary>
    private static bool IsOverdue(Bot bot, Liveness liveness, DateTimeOffset now)
    {
        var longestInactivity = bot.Leave.WaitingRoomTimeout + OverdueAfter;
        var longestRun = bot.Leave.MaxDuration + longestInactivity;
        return liveness.Running > longestRun
            || (liveness.Inactive > longestInactivity && now - (bot.LaunchedAt ?? bot.CreatedAt) > longestRun);
    }

    private static DateTimeOffset LastActivity(Bot bot, SessionOnDisk? folder)
    {
        var launched = bot.LaunchedAt ?? bot.CreatedAt;
        return folder is not null && folder.WrittenAt > launched ? folder.WrittenAt : launched;
    }
}
