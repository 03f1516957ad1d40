using NewarBots.Manager.Recordings;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Recordings;

public sealed class DownloadNameTests
{
    [Theory]
    [InlineData("Sales call ACME", null, "2026-11-29 Sales call ACME.mp3")]
    [InlineData("Réunion 会議 🎙", null, "2026-11-29 Réunion 会議 🎙.mp3")]
    [InlineData("Team A", 2, "2026-11-29 Team A, track 2.mp3")]
    [InlineData("../a\\b: \"c\" <d>|e?*", null, "2026-11-29 .. a b c d e.mp3")]
    [InlineData("a\u202Egnp\r\nX", null, "2026-11-29 a gnp X.mp3")]
    [InlineData("Notes...", null, "2026-11-29 Notes.mp3")]
    [InlineData("???", null, "2026-11-29.mp3")]
    public void Name_has_the_date_the_bots_name_and_nothing_that_a_file_system_rejects(string botName, int? track, string expected)
    {
        var bot = SampleBots.Queued() with { BotName = botName, RecordingAt = new(2026, 11, 29, 23, 59, 0, TimeSpan.Zero) };

        Assert.Equal(expected, DownloadName.Of(bot, "mp3", track));
    }
}
