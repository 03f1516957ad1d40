using NewarBots.Contract;

namespace NewarBots.Manager.Bots;

/// <summary>A bot as the API shows it. Absent where unknown; times are UTC, durations in seconds.</summary>
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
    public static BotResponse Of(Bot bot) => new(
        bot.Id, bot.Status, bot.Reason ?? bot.Warning?.Reason, bot.MeetingUrl, bot.Platform, bot.BotName, bot.UserId, LeaveResponse.Of(bot.Leave), bot.Metadata,
        bot.ContainerName, bot.CreatedAt, bot.StartAt, bot.JoiningAt, bot.RecordingAt, bot.EndedAt, bot.Chunks, bot.RecordedSeconds, bot.AudibleSeconds,
        bot.Participants, bot.Level,
        bot.Recording is { } recording
            ? new($"/bots/{bot.Id}/recording", recording.Format, recording.Bytes, recording.DurationSeconds, recording.Complete)
            : null,
        bot.Error ?? bot.Warning?.Text);
}

/// <summary>The leave conditions in force, in seconds, also where they were not given; without a silence timeout where it is off.</summary>
internal sealed record LeaveResponse(
    double WaitingRoomTimeout, double NobodyJoinedTimeout, double EveryoneLeftTimeout, double? SilenceTimeout, double MaxDuration)
{
    public static LeaveResponse Of(LeaveConditions leave) => new(
        leave.WaitingRoomTimeout.TotalSeconds, leave.NobodyJoinedTimeout.TotalSeconds, leave.EveryoneLeftTimeout.TotalSeconds,
        leave.SilenceTimeout?.TotalSeconds, leave.MaxDuration.TotalSeconds);
}

/// <param name="Url">Where the audio is had, relative to the manager.</param>
/// <param name="Format"><c>ogg</c> (Opus).</param>
/// <param name="Bytes">The file's size.</param>
/// <param name="DurationSeconds">Its length.</param>
/// <param name="Complete"><see langword="false"/> where something is missing: see the bot's reason and the manifest.</param>
internal sealed record RecordingResponse(string Url, string Format, long Bytes, double DurationSeconds, bool Complete);

/// <param name="Items">Newest first.</param>
/// <param name="NextCursor">To be sent as <c>cursor</c> for the next page; absent on the last one.</param>
internal sealed record BotPage(IReadOnlyList<BotResponse> Items, string? NextCursor);
