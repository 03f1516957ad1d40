using NewarBots.Contract;
using NewarBots.Manager.Bots.Transcripts;
using NewarBots.Manager.Hosting;

namespace NewarBots.Manager.Bots;

/// <summary>
/// How a bot changes: pure functions from a record and an observation to the next record. The status never goes back, so late, repeated and
/// reordered observations converge. A terminal status is never left, except by <see cref="FinalizationRequested"/>.
/// </summary>
internal static class BotLifecycle
{
    private const string ChunksUnreadable = "The recorder's chunks hold no readable audio. They are kept.";

    /// <summary>
    /// The user changed a bot. Name and metadata can be changed at any time, also after its end; everything else only while it is scheduled. A start time
    /// in the past means now.
    /// </summary>
    /// <returns>The changed bot; the same one if it is no longer scheduled and the change needs that.</returns>
    public static Bot Changed(Bot bot, ChangeBotRequest change, DateTimeOffset now)
    {
        if (change.IsOfScheduledBots && bot.Status is not BotStatus.Scheduled)
            return bot;
        bot = bot.Status <= BotStatus.Queued
            ? bot with { BotName = change.BotName ?? bot.BotName }
            : bot with { RenamedTo = change.BotName ?? bot.RenamedTo };
        return bot with
        {
            Metadata = change.Metadata ?? bot.Metadata,
            MeetingUrl = change.MeetingUrl ?? bot.MeetingUrl,
            Platform = change.MeetingUrl is null ? bot.Platform : change.Platform,
            StartAt = change.StartAt < now ? now : change.StartAt ?? bot.StartAt,
            Leave = change.Leave ?? bot.Leave,
            Warning = change.StartAt is null && change.MeetingUrl is null ? bot.Warning : null,
        };
    }

    /// <summary>The bot is due and may become active.</summary>
    /// <param name="bot">The bot; unchanged unless it is scheduled.</param>
    /// <param name="traceParent">The trace context of its start, if that is traced.</param>
    public static Bot Started(Bot bot, string? traceParent) => bot.Status is BotStatus.Scheduled
        ? bot with { Status = BotStatus.Queued, Warning = null, TraceParent = traceParent ?? bot.TraceParent }
        : bot;

    /// <summary>The bot is due and cannot start yet, for a temporary reason.</summary>
    public static Bot StartPostponed(Bot bot, BotWarning why) => bot.Status is BotStatus.Scheduled ? bot with { Warning = why } : bot;

    /// <summary>Ends a bot that can no longer start in time. The reason is the obstacle that delayed it, if there was one.</summary>
    public static Bot StartMissed(Bot bot, DateTimeOffset now) => bot.Status is BotStatus.Scheduled && bot.IsTooLate(now)
        ? End(bot, BotStatus.Failed, bot.Warning?.Reason ?? EndReason.StartMissed, now) with
        {
            Warning = null,
            Error = $"The start was scheduled for {bot.StartAt:u}, and was not possible before the maximum duration had passed. {bot.Warning?.Text}".TrimEnd(),
        }
        : bot;

    public static Bot LaunchBegun(Bot bot) => bot.Status is BotStatus.Queued ? bot with { Status = BotStatus.Launching } : bot;

    public static Bot Launched(Bot bot, DateTimeOffset now) =>
        bot.Status.IsTerminal() ? bot : bot with { LaunchedAt = bot.LaunchedAt ?? now };

    /// <summary>The container could not be created or started, and a retry will not help.</summary>
    public static Bot LaunchFailed(Bot bot, string error, DateTimeOffset now) =>
        bot.Status is BotStatus.Queued or BotStatus.Launching
            ? End(bot, BotStatus.Failed, bot.Reason ?? EndReason.LaunchFailed, now) with { Error = error }
            : bot;

    /// <summary>
    /// A status message of the recorder. An older message than the latest adds only missing step times. A message with a status or reason
    /// that recorders do not report, or of another bot, is ignored.
    /// </summary>
    public static Bot StatusReceived(Bot bot, StatusMessage message)
    {
        if (bot.Status.IsTerminal()
            || message.SessionId != bot.Id
            || message.Status is < BotStatus.Joining or > BotStatus.Leaving
            || message.Reason?.IsOfRecorder() is false
            // Only a warning.
            || message is { Status: BotStatus.Leaving, Reason: EndReason.NoAudio })
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
            LastWarning = message is { Status: BotStatus.Recording, Reason: { } reason } ? new(reason, message.Detail) : bot.LastWarning,
            Detail = message switch
            {
                // The text of a warning must not outlive the warning.
                { Status: BotStatus.Recording, Reason: not null } => bot.Detail,
                // Nor must the text about waiting outlive the wait.
                { Status: BotStatus.Leaving } => message.Detail,
                _ => message.Detail ?? bot.Detail,
            },
        };
    }

    /// <summary>The recorder heard a participant.</summary>
    public static Bot Heard(Bot bot, Speech speech)
    {
        var speakers = SpeakerList.Add(bot.Speakers, speech);
        return bot.Status.IsTerminal() || ReferenceEquals(speakers, bot.Speakers) ? bot : bot with { Speakers = speakers };
    }

    /// <summary>The page shows a participant, or no longer does.</summary>
    public static Bot Seen(Bot bot, Presence presence) => WithPeople(bot, bot.People.With(presence));

    /// <summary>A source began or ceased to speak. Its earlier turns may have its name.</summary>
    public static Bot Spoke(Bot bot, Speaking speaking) =>
        WithPeople(bot, bot.People.With(speaking, bot.Speakers.LastOrDefault(speaker => speaker.Source == speaking.Source)?.Name));

    private static Bot WithPeople(Bot bot, CallPeople people) =>
        bot.Status >= BotStatus.Finalizing || ReferenceEquals(people, bot.People) ? bot : bot with { People = people };

    /// <summary>A stop was requested. A scheduled or queued bot ends at once; others leave the call first.</summary>
    public static Bot StopAsked(Bot bot, DateTimeOffset now) => bot.Status switch
    {
        BotStatus.Scheduled or BotStatus.Queued => End(bot, BotStatus.Cancelled, EndReason.StopRequested, now) with { StopRequested = true, Warning = null },
        _ when bot.Status.IsTerminal() => bot,
        _ => bot with { StopRequested = true },
    };

    /// <summary>The runtime says why the container does not start, or does not answer; or that it runs again.</summary>
    /// <param name="bot">The bot.</param>
    /// <param name="why"><see langword="null"/> if the container runs.</param>
    public static Bot ContainerSeen(Bot bot, BotWarning? why)
    {
        // A warning of the recorder says more. If the recorder has reported, the container was pending before that.
        var canChange = bot.Status is > BotStatus.Queued and < BotStatus.Finalizing
            && bot.Warning is null or { Reason: EndReason.ContainerPending or EndReason.ContainerUnreachable }
            && (why?.Reason is not EndReason.ContainerPending || bot.Status is BotStatus.Launching);
        return canChange && bot.Warning != why ? bot with { Warning = why } : bot;
    }

    /// <summary>The bot has reached its maximum duration and is still in the call. That reason stands, whatever the recorder reports later.</summary>
    public static Bot Overdue(Bot bot) => bot.Status >= BotStatus.Finalizing
        ? bot
        : bot with { StopRequested = true, Reason = bot.Reason ?? EndReason.MaxDuration };

    /// <summary>The recorder fills the disk. That reason stands, whatever the recorder reports later.</summary>
    /// <param name="bot">The bot.</param>
    /// <param name="error">One sentence for a person.</param>
    public static Bot OverStorageLimit(Bot bot, string error) => bot.Status >= BotStatus.Finalizing
        ? bot
        : bot with { StopRequested = true, Reason = bot.Reason ?? EndReason.StorageFailed, Error = bot.Error ?? error };

    /// <summary>A stop was requested during the launch, and no recorder was started.</summary>
    public static Bot LaunchAbandoned(Bot bot, DateTimeOffset now) =>
        bot is { Status: BotStatus.Launching, StopRequested: true, AwaitsContainer: true }
            ? End(bot, BotStatus.Cancelled, EndReason.StopRequested, now)
            : bot;

    /// <summary>
    /// The container is gone. The recorder's own reason stands; without one, the container's exit decides.
    /// </summary>
    /// <param name="bot">The bot, after every status of its recorder was applied.</param>
    /// <param name="exit"><see langword="null"/> if the container vanished, so that its exit is unknown.</param>
    public static Bot RecorderGone(Bot bot, RecorderExit? exit)
    {
        if (bot.Status >= BotStatus.Finalizing)
            return bot;

        // An engine that ends a recorder sends it SIGTERM, which the recorder takes for a stop.
        var interruption = bot is { StopRequested: false, Reason: null or EndReason.StopRequested } ? exit?.Interruption : null;
        var gaveReason = interruption is null && exit?.ExitCode is (long)RecorderExitCode.Ended or (long)RecorderExitCode.EndedByGuess && bot.Reason is not null;
        var clean = gaveReason && exit!.ExitCode is (long)RecorderExitCode.Ended && bot.Reason!.Value.IsOrdinary();
        return bot with
        {
            Status = BotStatus.Finalizing,
            People = bot.People.AfterCall(exit?.FinishedAt),
            EndedCleanly = clean,
            Reason = interruption?.Reason ?? bot.Reason ?? ReasonOf(bot, exit),
            Error = clean ? null : interruption?.Error ?? bot.Error ?? (gaveReason ? bot.Detail : Describe(exit)),
        };
    }

    /// <summary>A manager begins to finalize the bot, for the first time or after another manager did not finish.</summary>
    public static Bot FinalizationBegun(Bot bot, RecorderExit? exit) =>
        bot.Status.IsTerminal()
            ? bot
            : RecorderGone(bot, exit) with { FinalizationAttempt = bot.FinalizationAttempt + 1, RanFor = bot.RanFor ?? exit?.RanFor };

    /// <summary>The chunks were assembled, or there were none.</summary>
    public static Bot Finalized(Bot bot, FinalizationResult result, DateTimeOffset now)
    {
        if (bot.Status is not BotStatus.Finalizing)
            return bot;

        return result switch
        {
            // A recording published earlier knows the reason, even if the journal is gone by now.
            FinalizationResult.Recorded recorded => WithTranscript(End(bot, BotStatus.Completed, recorded.Reason ?? bot.Reason, now) with
            {
                Error = recorded.Recording.Complete ? null : bot.Error,
                Recording = recorded.Recording,
                Chunks = recorded.Chunks,
                RecordedSeconds = recorded.Recording.DurationSeconds,
                AudibleSeconds = recorded.AudibleSeconds,
                Speakers = recorded.Speakers,
            }),
            FinalizationResult.NothingRecorded { HasUnreadableChunks: true } => Nothing(BotStatus.Failed, $"{bot.Error ?? bot.Detail} {ChunksUnreadable}".TrimStart()),
            _ when bot is { Reason: EndReason.StopRequested, RecordingAt: null } => Nothing(BotStatus.Cancelled, bot.Error),
            _ => Nothing(BotStatus.Failed, bot.Error ?? bot.Detail),
        };

        Bot WithTranscript(Bot completed) => completed.TranscriptWish is null ? completed : TranscriptLifecycle.Requested(completed, language: null, now);

        Bot Nothing(BotStatus status, string? error) => End(bot, status, bot.Reason, now) with { Chunks = 0, RecordedSeconds = 0, Error = error };
    }

    /// <summary>The chunks exist but cannot be assembled. They stay on disk.</summary>
    public static Bot FinalizationFailed(Bot bot, string error, DateTimeOffset now) =>
        bot.Status is BotStatus.Finalizing
            ? End(bot, BotStatus.Failed, EndReason.FinalizationFailed, now) with { Error = error, RecorderEnd = new(bot.Reason, bot.Error) }
            : bot;

    /// <summary>An attempt to end the bot failed; its recorder has exited.</summary>
    /// <param name="bot">The bot; unchanged if it has ended.</param>
    /// <param name="error">One line for a person.</param>
    /// <param name="cause">Only a failure that the bot itself may have caused is counted.</param>
    /// <param name="now">The current time.</param>
    public static Bot EndFailed(Bot bot, string error, FailureCause cause, DateTimeOffset now)
    {
        if (bot.Status.IsTerminal())
            return bot;
        var before = bot.FailedEnd ?? new(Attempts: 0, Counted: 0, now, Error: null);
        return bot with
        {
            FailedEnd = before with
            {
                Attempts = before.Attempts + 1,
                Counted = before.Counted + (cause is FailureCause.Bot ? 1 : 0),
                Error = error,
                Cause = cause,
            },
        };
    }

    /// <summary>
    /// A user asks for another attempt to finalize a bot whose chunks could not be assembled. The only way out of a terminal status. The bot
    /// does not occupy its meeting again.
    /// </summary>
    public static Bot FinalizationRequested(Bot bot, DateTimeOffset now) => bot.CanBeFinalizedAgain
        ? bot with
        {
            Status = BotStatus.Finalizing,
            Reason = bot.RecorderEnd?.Reason,
            Error = bot.RecorderEnd?.Error,
            RecorderEnd = null,
            EndedAt = null,
            FailedEnd = new(Attempts: 0, Counted: 0, now, Error: null) { IsRequested = true },
        }
        : bot;

    private static Bot End(Bot bot, BotStatus status, EndReason? reason, DateTimeOffset now) =>
        bot with { Status = status, Reason = reason, EndedAt = now, FailedEnd = null };

    private static EndReason ReasonOf(Bot bot, RecorderExit? exit) => exit switch
    {
        { OutOfMemory: true } => EndReason.OutOfMemory,
        { ExitCode: (long)RecorderExitCode.InvalidInput } => EndReason.LaunchFailed,
        { ExitCode: (long)RecorderExitCode.Watchdog } => EndReason.MaxDuration,
        _ when bot.StopRequested && bot.Status < BotStatus.Recording => EndReason.StopRequested,
        _ => EndReason.RecorderCrashed,
    };

    private static string Describe(RecorderExit? exit) => exit switch
    {
        null => "The container vanished, so its exit code is unknown.",
        { OutOfMemory: true } => "The container reached its memory limit and was killed.",
        _ => $"The recorder ended unexpectedly, with exit code {exit.ExitCode}.",
    };

    private static BotStatus Later(BotStatus a, BotStatus b) => a > b ? a : b;

    private static DateTimeOffset Earlier(DateTimeOffset? known, DateTimeOffset other) => known < other ? known.Value : other;
}

/// <summary>How a recorder's process ended.</summary>
/// <param name="ExitCode">The process's exit code; 137 for SIGKILL.</param>
/// <param name="OutOfMemory">The engine's flag.</param>
/// <param name="FinishedAt">By the engine's clock.</param>
internal sealed record RecorderExit(long ExitCode, bool OutOfMemory, DateTimeOffset FinishedAt)
{
    /// <summary>By the engine's clock.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary><see langword="null"/> if the engine does not know when it started.</summary>
    public TimeSpan? RanFor => FinishedAt - StartedAt;

    /// <summary>Set if the engine ended the recorder.</summary>
    public RecorderInterruption? Interruption { get; init; }
}

/// <summary>An engine ended a recorder that nobody had stopped.</summary>
/// <param name="Reason">The bot's reason, unless it ended for another one before.</param>
/// <param name="Error">One sentence with the engine's explanation.</param>
internal sealed record RecorderInterruption(EndReason Reason, string Error);

/// <summary>The result of assembling a bot's chunks.</summary>
internal abstract record FinalizationResult
{
    /// <summary>The recording and its manifest are published and were decoded completely.</summary>
    public sealed record Recorded(RecordingInfo Recording, int Chunks, double AudibleSeconds) : FinalizationResult
    {
        /// <summary>The bot's end reason, as known when the recording was made.</summary>
        public EndReason? Reason { get; init; }

        public IReadOnlyList<Gap> Gaps { get; init; } = [];

        /// <inheritdoc cref="Bot.Speakers"/>
        public IReadOnlyList<Speaker> Speakers { get; init; } = [];
    }

    /// <summary>No chunk holds any audio; nothing was written.</summary>
    public sealed record NothingRecorded : FinalizationResult
    {
        /// <summary>There are chunks that are not empty. They are kept.</summary>
        public bool HasUnreadableChunks { get; init; }
    }
}
