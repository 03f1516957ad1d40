using NewarBots.Contract;
using NewarBots.Manager.Bots;

namespace NewarBots.Tests.Fixtures;

internal static class SampleBots
{
    public static DateTimeOffset Noon { get; } = new(2026, 3, 14, 12, 0, 0, TimeSpan.Zero);

    public static Bot Queued(string? meeting = null, string user = "anna") => new()
    {
        Id = SessionId.New(TimeProvider.System),
        UserId = UserId.Parse(user),
        Status = BotStatus.Queued,
        MeetingUrl = new Uri(meeting ?? "https://meet.google.com/abc-defg-hij"),
        Platform = Platform.GoogleMeet,
        BotName = "Notes",
        Leave = new(),
        CreatedAt = Noon,
        LastSequence = 1,
    };

    /// <param name="startAt">Default: an hour after noon.</param>
    /// <param name="meeting">The meeting's URL.</param>
    /// <param name="user">The user id.</param>
    public static Bot Scheduled(DateTimeOffset? startAt = null, string? meeting = null, string user = "anna") =>
        Queued(meeting, user) with { Status = BotStatus.Scheduled, StartAt = startAt ?? Noon.AddHours(1) };

    /// <summary>A bot about to be launched, with all data that a recorder gets.</summary>
    public static Bot Launchable(string meeting) => new()
    {
        Id = SessionId.New(TimeProvider.System),
        UserId = UserId.Parse("anna"),
        Status = BotStatus.Launching,
        MeetingUrl = new Uri(meeting),
        Platform = Platform.GoogleMeet,
        BotName = "Notetaker",
        Leave = new() { MaxDuration = TimeSpan.FromMinutes(90) },
        CreatedAt = DateTimeOffset.UnixEpoch,
        TraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    };

    public static Bot In(BotStatus status) => Queued() with { Status = status };

    public static StatusMessage Says(this Bot bot, BotStatus status, long sequence, EndReason? reason = null) =>
        new(bot.Id, status, Noon.AddSeconds(sequence).ToUnixTimeMilliseconds(), sequence, reason, Chunks: (int)sequence, RecordedSeconds: sequence * 10.0);
}
