using NewarBots.Contract;

namespace NewarBots.Manager.Bots;

/// <summary>
/// How a bot changes: pure functions from what is known and what was observed to what is known next. A terminal state is never
/// left, and the status never goes back; so whatever comes late, twice or in another order leads to the same end.
/// </summary>
internal static class BotLifecycle
{
    /// <summary>Its user wants something else, and it has not started yet. A time that has passed means now.</summary>
    public static Bot Changed(Bot bot, ChangeBotRequest change, DateTimeOffset now) => bot.Status is not BotStatus.Scheduled
        ? bot
        : bot with
        {
            StartAt = change.StartAt < now ? now : change.StartAt ?? bot.StartAt,
            BotName = change.BotName ?? bot.BotName,
            Leave = change.Leave ?? bot.Leave,
            Metadata = change.Metadata ?? bot.Metadata,
            Warning = change.StartAt is null ? bot.Warning : null,
        };

    /// <summary>It is due, and there is a place for it among the active ones.</summary>
    /// <param name="bot">A scheduled one.</param>
    /// <param name="traceParent">Of its start, where that is traced.</param>
    public static Bot Started(Bot bot, string? traceParent) => bot.Status is BotStatus.Scheduled
        ? bot with { Status = BotStatus.Queued, Warning = null, TraceParent = traceParent ?? bot.TraceParent }
        : bot;

    /// <summary>It is due, and something is in its way that will pass.</summary>
    public static Bot StartPostponed(Bot bot, BotWarning why) => bot.Status is BotStatus.Scheduled ? bot with { Warning = why } : bot;

    /// <summary>It ends where it is too late to start; whatever was in its way until then is the reason.</summary>
    public static Bot StartMissed(Bot bot, DateTimeOffset now) => bot.Status is BotStatus.Scheduled && bot.IsTooLate(now)
        ? End(bot, BotStatus.Failed, bot.Warning?.Reason ?? EndReason.StartMissed, now) with
        {
            Warning = null,
            Error = $"It was to start at {bot.StartAt:u}, and could not before it would have had to leave again. {bot.Warning?.Text}".TrimEnd(),
        }
        : bot;

    public static Bot LaunchBegun(Bot bot) => bot.Status is BotStatus.Queued ? bot with { Status = BotStatus.Launching } : bot;

    public static Bot Launched(Bot bot, DateTimeOffset now) =>
        bot.Status.IsTerminal() ? bot : bot with { LaunchedAt = bot.LaunchedAt ?? now };

    /// <summary>Its container could not be made or started, and trying again will not help.</summary>
    public static Bot LaunchFailed(Bot bot, string error, DateTimeOffset now) =>
        bot.Status is BotStatus.Queued or BotStatus.Launching
            ? End(bot, BotStatus.Failed, bot.Reason ?? EndReason.LaunchFailed, now) with { Error = error }
            : bot;

    /// <summary>
    /// A status message of its recorder. One that is older than what is known adds only the time of a step that is still
    /// missing; one with a status that is not the recorder's to give, or about another bot, adds nothing.
    /// </summary>
    public static Bot Heard(Bot bot, StatusMessage message)
    {
        if (bot.Status.IsTerminal()
            || message.SessionId != bot.Id
            || message.Status is < BotStatus.Joining or > BotStatus.Leaving)
            return bot;

        var next = bot with
        {
            Status = Later(bot.Status, message.Status),
            JoiningAt = message.Status is BotStatus.Joining ? Earlier(bot.JoiningAt, message.At) : bot.JoiningAt,
            RecordingAt = message.Status is BotStatus.Recording ? Earlier(bot.RecordingAt, message.At) : bot.RecordingAt,
            Reason = bot.Reason ?? (message.Status is BotStatus.Leaving ? message.Reason : null),
        };
        if (message.Sequence <= bot.LastSequence)
            return next;

        return next with
        {
            LastSequence = message.Sequence,
            Chunks = message.Chunks ?? bot.Chunks,
            RecordedSeconds = message.RecordedSeconds ?? bot.RecordedSeconds,
            AudibleSeconds = message.AudibleSeconds ?? bot.AudibleSeconds,
            Participants = message.Participants ?? bot.Participants,
            Level = message.Level ?? bot.Level,
            Warning = message is { Status: BotStatus.Recording, Reason: { } warning } ? new(warning, message.Detail) : null,
            Detail = message switch
            {
                // A warning's words are no longer true when it is over.
                { Status: BotStatus.Recording, Reason: not null } => bot.Detail,
                // Neither is what it waited for.
                { Status: BotStatus.Leaving } => message.Detail,
                _ => message.Detail ?? bot.Detail,
            },
        };
    }

    /// <summary>Somebody asked for it to leave. A bot that waits for its time or its launch ends here; others leave the call first.</summary>
    public static Bot StopAsked(Bot bot, DateTimeOffset now) => bot.Status switch
    {
        BotStatus.Scheduled or BotStatus.Queued => End(bot, BotStatus.Failed, EndReason.StopRequested, now) with { StopRequested = true, Warning = null },
        _ when bot.Status.IsTerminal() => bot,
        _ => bot with { StopRequested = true },
    };

    /// <summary>Its time is over and it has not left by itself. Whatever it says on the way, that is why it is made to.</summary>
    public static Bot Overdue(Bot bot) => bot.Status >= BotStatus.Finalizing
        ? bot
        : bot with { StopRequested = true, Reason = bot.Reason ?? EndReason.MaxDuration };

    /// <summary>It was asked to stop while its launch was being tried, and no recorder has come of that.</summary>
    public static Bot LaunchAbandoned(Bot bot, DateTimeOffset now) =>
        bot is { Status: BotStatus.Launching, StopRequested: true, AwaitsContainer: true }
            ? End(bot, BotStatus.Failed, EndReason.StopRequested, now)
            : bot;

    /// <summary>
    /// Its container is no more. The recorder's own reason stands; where it gave none, the engine's word decides.
    /// </summary>
    /// <param name="bot">The bot, after everything that its recorder said has been heard.</param>
    /// <param name="exit"><see langword="null"/> where the container vanished and nobody can say how it ended.</param>
    public static Bot RecorderGone(Bot bot, RecorderExit? exit)
    {
        if (bot.Status >= BotStatus.Finalizing)
            return bot;

        var saidGoodbye = exit?.ExitCode is (long)RecorderExitCode.Ended or (long)RecorderExitCode.EndedByGuess && bot.Reason is not null;
        var clean = saidGoodbye && exit!.ExitCode is (long)RecorderExitCode.Ended && bot.Reason!.Value.IsOrdinary();
        return bot with
        {
            Status = BotStatus.Finalizing,
            EndedCleanly = clean,
            Reason = bot.Reason ?? ReasonOf(bot, exit),
            Error = clean ? null : saidGoodbye ? bot.Detail : Describe(exit),
        };
    }

    /// <summary>A manager takes it to its end: <see cref="RecorderGone"/>, or once more what another has begun.</summary>
    public static Bot EndBegun(Bot bot, RecorderExit? exit) =>
        bot.Status.IsTerminal() ? bot : RecorderGone(bot, exit) with { EndsBegun = bot.EndsBegun + 1 };

    /// <summary>Its chunks were put together, or there were none.</summary>
    public static Bot Finalized(Bot bot, FinalizationResult result, DateTimeOffset now)
    {
        if (bot.Status is not BotStatus.Finalizing)
            return bot;

        return result switch
        {
            // One that was published before knows better than whoever finds the journal gone.
            FinalizationResult.Recorded recorded => End(bot, BotStatus.Completed, recorded.Reason ?? bot.Reason, now) with
            {
                Error = recorded.Recording.Complete ? null : bot.Error,
                Recording = recorded.Recording,
                Chunks = recorded.Chunks,
                RecordedSeconds = recorded.Recording.DurationSeconds,
                AudibleSeconds = recorded.AudibleSeconds,
            },
            _ => End(bot, BotStatus.Failed, bot.Reason, now) with { Chunks = 0, RecordedSeconds = 0, Error = bot.Error ?? bot.Detail },
        };
    }

    /// <summary>Its chunks are there and cannot be put together. They stay where they are.</summary>
    public static Bot FinalizationFailed(Bot bot, string error, DateTimeOffset now) =>
        bot.Status is BotStatus.Finalizing
            ? End(bot, BotStatus.Failed, EndReason.FinalizationFailed, now) with { Error = error }
            : bot;

    private static Bot End(Bot bot, BotStatus status, EndReason? reason, DateTimeOffset now) =>
        bot with { Status = status, Reason = reason, EndedAt = now };

    private static EndReason ReasonOf(Bot bot, RecorderExit? exit) => exit switch
    {
        { OutOfMemory: true } => EndReason.OutOfMemory,
        { ExitCode: (long)RecorderExitCode.InvalidEnvironment } => EndReason.LaunchFailed,
        { ExitCode: (long)RecorderExitCode.Watchdog } => EndReason.MaxDuration,
        _ when bot.StopRequested && bot.Status < BotStatus.Recording => EndReason.StopRequested,
        _ => EndReason.RecorderCrashed,
    };

    private static string Describe(RecorderExit? exit) => exit switch
    {
        null => "The container vanished before it could say how it ended.",
        { OutOfMemory: true } => "The container reached its memory limit and was killed.",
        _ => $"The recorder ended with exit code {exit.ExitCode} before it had said goodbye.",
    };

    private static BotStatus Later(BotStatus a, BotStatus b) => a > b ? a : b;

    private static DateTimeOffset Earlier(DateTimeOffset? known, DateTimeOffset other) => known < other ? known.Value : other;
}
