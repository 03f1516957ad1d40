using System.Text.Json;
using NewarBots.AppHost.Bots;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.AppHost;

public sealed class BotViewTests
{
    private static readonly ManagedBot Recording = new(
        "01a2", "recording", null, "https://meet.google.com/abc-defg-hij", "Notes", "ann", "newar-bot-01a2",
        DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch, null, Chunks: 3, RecordedSeconds: 31.6, Participants: 4, null, null);

    [Theory]
    [InlineData("scheduled", "Scheduled", "info")]
    [InlineData("queued", "Queued", "info")]
    [InlineData("launching", "Launching", "info")]
    [InlineData("joining", "Joining", "info")]
    [InlineData("waiting", "In the waiting room", "warning")]
    [InlineData("recording", "Recording", "success")]
    [InlineData("leaving", "Leaving", "info")]
    [InlineData("finalizing", "Finalizing", "info")]
    [InlineData("cancelled", "Cancelled", "info")]
    public void A_bot_shows_its_status(string status, string state, string style)
    {
        var view = BotView.Of(Recording with { Status = status });

        Assert.Equal((state, style), (view.State, view.Style));
    }

    [Fact]
    public void A_recording_bot_without_audio_is_a_warning()
    {
        var view = BotView.Of(Recording with { Reason = "no_audio", Error = "Received for 20 s, heard 0 s." });

        Assert.Equal("warning", view.Style);
        Assert.Contains(new("Reason", "no_audio"), view.Properties);
        Assert.Contains(new("Error", "Received for 20 s, heard 0 s."), view.Properties);
    }

    [Fact]
    public void A_scheduled_bot_shows_its_start_time_and_warns_if_it_has_to_wait()
    {
        var scheduled = Recording with { Status = "scheduled", StartAt = DateTimeOffset.UnixEpoch, Chunks = 0, Participants = null };

        Assert.Contains(new("Starts at", "1970-01-01 00:00:00Z"), BotView.Of(scheduled).Properties);
        Assert.Equal("warning", BotView.Of(scheduled with { Reason = "meeting_taken" }).Style);
        Assert.DoesNotContain(BotView.Of(scheduled with { Status = "queued" }).Properties, property => property.Key == "Starts at");
    }

    [Theory]
    [InlineData(true, "success")]
    [InlineData(false, "warning")]
    public void An_incomplete_recording_is_a_warning(bool isComplete, string style)
    {
        var view = BotView.Of(Recording with { Status = "completed", Recording = new(isComplete) });

        Assert.Equal(("Completed", style), (view.State, view.Style));
        Assert.Equal(
            [new("Open", "/#/bots/01a2"), new("Download", "/bots/01a2/recording"), new("Manifest", "/bots/01a2/manifest")],
            view.Links);
    }

    [Fact]
    public void A_failed_bot_shows_its_reason_and_links_to_the_evidence()
    {
        var view = BotView.Of(Recording with { Status = "failed", Reason = "denied_by_host" });

        Assert.Equal(("Failed: denied_by_host", "error"), (view.State, view.Style));
        Assert.Contains(new("Evidence", "/bots/01a2/evidence"), view.Links);
    }

    [Fact]
    public void Only_known_properties_are_shown()
    {
        Assert.Equal(
            [new("Name", "Notes"), new("User", "ann"), new("Recorded", "32 s in 3 chunks"), new("Participants", "4")],
            BotView.Of(Recording).Properties);
        Assert.Equal(
            [new("Name", "Notes"), new("User", "ann")],
            BotView.Of(Recording with { Status = "queued", Chunks = 0, Participants = null }).Properties);
    }

    [Theory]
    [InlineData("scheduled", true)]
    [InlineData("queued", true)]
    [InlineData("recording", true)]
    [InlineData("leaving", false)]
    [InlineData("finalizing", false)]
    [InlineData("completed", false)]
    [InlineData("failed", false)]
    [InlineData("cancelled", false)]
    public void A_bot_can_be_stopped_until_it_leaves(string status, bool canBeStopped)
    {
        Assert.Equal(canBeStopped, (Recording with { Status = status }).CanBeStopped);
    }

    [Fact]
    public void The_APIs_bot_can_be_deserialized()
    {
        var bot = SampleBots.In(BotStatus.Recording) with { Chunks = 2 };
        var json = JsonSerializer.Serialize(BotResponse.Of(bot), JsonSerializerOptions.Web);

        var read = JsonSerializer.Deserialize<ManagedBot>(json, JsonSerializerOptions.Web)!;

        Assert.Equal(
            (bot.Id.ToString(), "recording", bot.MeetingUrl.ToString(), bot.ContainerName, bot.CreatedAt, 2),
            (read.Id, read.Status, read.MeetingUrl, read.ContainerName, read.CreatedAt, read.Chunks));
    }
}
