using NewarBots.Contract;
using NewarBots.Manager.Api;
using NewarBots.Manager.Bots.Transcripts;

namespace NewarBots.Manager.Bots;

/// <summary>A bot as the API shows it. Unknown members are absent; times are UTC, durations in seconds.</summary>
/// <param name="Id">The bot's id.</param>
/// <param name="Status">The bot's stage; completed, failed and cancelled are final.</param>
/// <param name="Reason">Why the bot ended or is ending. While the bot records, a warning; while it is scheduled and due, why it has to wait.</param>
/// <param name="MeetingUrl">The meeting's address.</param>
/// <param name="Platform">The kind of meeting page.</param>
/// <param name="BotName">The name that the bot shows in the meeting, unless it was changed after the bot had started.</param>
/// <param name="UserId">The bot's user.</param>
/// <param name="Leave">The bot's leave conditions.</param>
/// <param name="Metadata">As given in the request.</param>
/// <param name="ContainerName">The name of the bot's container.</param>
/// <param name="CreatedAt">When the bot was requested.</param>
/// <param name="StartAt">The requested start time, if any.</param>
/// <param name="JoiningAt">When the bot opened the meeting.</param>
/// <param name="RecordingAt">When the recording began.</param>
/// <param name="EndedAt">When the bot ended.</param>
/// <param name="Chunks">Number of audio chunks: on disk so far, or in the finished recording.</param>
/// <param name="RecordedSeconds">Length of the audio recorded so far.</param>
/// <param name="AudibleSeconds">Length of the recorded audio that is not silent.</param>
/// <param name="Participants">Number of other participants in the call, if the page shows it.</param>
/// <param name="Level">Loudness of the last second in dBFS; -127 for digital silence.</param>
/// <param name="Recording">The finished recording.</param>
/// <param name="Error">One line for humans that explains what went wrong.</param>
/// <example>
/// {
///   "id": "0199aaaabbbbccccddddeeeeffff0001", "status": "completed", "reason": "everyone_left", "meetingUrl": "https://meet.google.com/abc-defg-hij",
///   "platform": "google_meet", "botName": "Notes", "userId": "default",
///   "leave": { "waitingRoomTimeout": 600, "nobodyJoinedTimeout": 600, "everyoneLeftTimeout": 120, "maxDuration": 14400 }, "metadata": { "case": "42" },
///   "containerName": "newar-bot-0199aaaabbbbccccddddeeeeffff0001", "createdAt": "2026-03-01T09:00:00Z", "joiningAt": "2026-03-01T09:00:02Z",
///   "recordingAt": "2026-03-01T09:00:09Z", "endedAt": "2026-03-01T09:31:12Z", "chunks": 187, "recordedSeconds": 1863.4, "audibleSeconds": 1544.2,
///   "participants": 0,
///   "recording": { "url": "/bots/0199aaaabbbbccccddddeeeeffff0001/recording", "format": "ogg", "bytes": 5590213, "durationSeconds": 1863.4, "complete": true, "missingSeconds": 0.14 }
/// }
/// </example>
internal sealed record BotResponse(
    SessionId Id,
    BotStatus Status,
    EndReason? Reason,
    Uri MeetingUrl,
    Platform Platform,
    string BotName,
    UserId UserId,
    LeaveResponse Leave,
    IReadOnlyDictionary<string, string> Metadata,
    string ContainerName,
    DateTimeOffset CreatedAt,
    DateTimeOffset? StartAt,
    DateTimeOffset? JoiningAt,
    DateTimeOffset? RecordingAt,
    DateTimeOffset? EndedAt,
    int Chunks,
    double RecordedSeconds,
    double? AudibleSeconds,
    int? Participants,
    int? Level,
    RecordingResponse? Recording,
    string? Error)
{
    /// <summary>How many seconds the bot is kept after its end, if it has a retention of its own.</summary>
    public double? Retention { get; init; }

    /// <summary>When the bot is deleted, if it has ended and has a retention of its own.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>Whether each audio track is recorded alone too, if the request said so.</summary>
    public bool? Tracks { get; init; }

    /// <summary>The webhook of this bot only.</summary>
    public BotWebhookResponse? Webhook { get; init; }

    /// <summary>The transcript of the recording, if one was requested.</summary>
    public BotTranscriptResponse? Transcript { get; init; }

    /// <summary>The bot's trace in the dashboard. Only in the response for one bot, if a dashboard is known.</summary>
    public Uri? TraceUrl { get; init; }

    public static BotResponse Of(Bot bot) => new(
        bot.Id, bot.Status, bot.Reason ?? bot.Warning?.Reason, bot.MeetingUrl, bot.Platform, bot.ShownName, bot.UserId, LeaveResponse.Of(bot.Leave), bot.Metadata,
        bot.ContainerName, bot.CreatedAt, bot.StartAt, bot.JoiningAt, bot.RecordingAt, bot.EndedAt, bot.Chunks, bot.RecordedSeconds.ToMilliseconds(),
        bot.AudibleSeconds.ToMilliseconds(),
        bot.Participants, bot.Level,
        bot.Recording is { } recording
            ? RecordingResponse.Of(bot.Id, recording)
            : null,
        bot.FailedEnd?.Error ?? bot.Error ?? bot.Warning?.Text)
    {
        Retention = bot.Retention?.TotalSeconds,
        ExpiresAt = bot.ExpiresAt,
        Tracks = bot.RecordTracks,
        Webhook = BotWebhookResponse.Of(bot),
        Transcript = BotTranscriptResponse.Of(bot),
    };
}

/// <summary>A webhook of one bot only.</summary>
/// <param name="Id">Its id, for the list of its messages.</param>
/// <param name="Url">Receives the messages.</param>
/// <param name="Events">The types of events that it receives; absent if it receives all but those of participants and speakers.</param>
/// <param name="Secret">Signs the messages. Returned only when the bot is created.</param>
internal sealed record BotWebhookResponse(string Id, Uri Url, IReadOnlyList<string>? Events, string? Secret)
{
    public static BotWebhookResponse? Of(Bot bot) => bot.Webhook is { } webhook
        ? new(BotWebhook.IdOf(bot.Id), webhook.Url, webhook.Events.Count > 0 ? webhook.Events : null, Secret: null)
        : null;

    public static BotWebhookResponse? WithSecret(Bot bot) => Of(bot) is { } webhook ? webhook with { Secret = bot.Webhook!.Secret } : null;
}

/// <summary>The leave conditions in force, in seconds, including defaults.</summary>
/// <param name="WaitingRoomTimeout">Longest time in the waiting room.</param>
/// <param name="NobodyJoinedTimeout">Longest time alone in a call that nobody else has joined yet.</param>
/// <param name="EveryoneLeftTimeout">Longest time alone after others were there.</param>
/// <param name="SilenceTimeout">Longest silence; absent if off.</param>
/// <param name="MaxDuration">Longest run of the bot.</param>
internal sealed record LeaveResponse(
    double WaitingRoomTimeout, double NobodyJoinedTimeout, double EveryoneLeftTimeout, double? SilenceTimeout, double MaxDuration)
{
    public static LeaveResponse Of(LeaveConditions leave) => new(
        leave.WaitingRoomTimeout.TotalSeconds, leave.NobodyJoinedTimeout.TotalSeconds, leave.EveryoneLeftTimeout.TotalSeconds,
        leave.SilenceTimeout?.TotalSeconds, leave.MaxDuration.TotalSeconds);
}

/// <summary>The finished recording.</summary>
/// <param name="Url">Path of the audio file, relative to the manager.</param>
/// <param name="Format"><c>ogg</c> (Opus).</param>
/// <param name="Bytes">Size of the file.</param>
/// <param name="DurationSeconds">Decoded length.</param>
/// <param name="Complete">
/// False if a listener misses something: more than 1 s in total, more than 0.5 s at once, the start or the end. The manifest lists every gap.
/// </param>
/// <param name="MissingSeconds">Length of everything that is missing, however short; the recording is silent there.</param>
/// <param name="Warning">Present if the bot did not hear part of the call.</param>
internal sealed record RecordingResponse(
    string Url, string Format, long Bytes, double DurationSeconds, bool Complete, double? MissingSeconds, RecordingWarning? Warning)
{
    public static RecordingResponse Of(SessionId id, RecordingInfo recording) => new(
        $"/bots/{id}/recording", recording.Format, recording.Bytes, recording.DurationSeconds.ToMilliseconds(), recording.Complete,
        recording.MissingSeconds.ToMilliseconds(),
        recording.Warning);
}
