using NewarBots.Contract;
using NewarBots.Manager.Bots;

namespace NewarBots.Tests.Fixtures;

/// <summary>Bots about to be launched.</summary>
internal static class LaunchableBots
{
    public static Bot WithMeeting(string url) => new()
    {
        Id = SessionId.New(TimeProvider.System),
        UserId = UserId.Parse("anna"),
        Status = BotStatus.Launching,
        MeetingUrl = new Uri(url),
        Platform = Platform.GoogleMeet,
        BotName = "Notetaker",
        Leave = new() { MaxDuration = TimeSpan.FromMinutes(90) },
        CreatedAt = DateTimeOffset.UnixEpoch,
        TraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    };
}
