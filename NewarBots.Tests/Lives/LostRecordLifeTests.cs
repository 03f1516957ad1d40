using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Lives;

/// <summary>Redis loses a bot's record, in some cases together with its manager or container.</summary>
[Collection(LifeTests.OfOneHost)]
[Trait(LifeTests.Group, LifeTests.Name)]
public sealed class LostRecordLifeTests(RecordingHost host)
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(3);

    private ManagerProcess Manager => host.Manager;

    [Fact]
    public async Task A_record_that_is_lost_mid_meeting_is_restored_within_seconds_and_the_recording_is_complete()
    {
        var meeting = Manager.Rehearsal("participants=2&admitAfter=0&duration=30");
        var (status, accepted) = await Manager.PostAsync("/bots", JsonSerializer.Serialize(
            new { meetingUrl = meeting, userId = "emma", botName = "Minutes", metadata = new { matter = "42" } }));
        Assert.Equal(HttpStatusCode.Accepted, status);
        var id = (string)accepted!["id"]!;
        await RecordedAsync(id, seconds: 4);

        await FlushAsync();
        var known = await RestoredAsync(id, Timeout);
        foreach (var field in new[] { "meetingUrl", "platform", "botName", "userId", "createdAt", "metadata" })
            Assert.True(JsonNode.DeepEquals(Seconds(accepted[field]), Seconds(known[field])), $"{field}: {known}");
        Assert.Equal(HttpStatusCode.Conflict, (await Manager.PostAsync(
            "/bots", JsonSerializer.Serialize(new { meetingUrl = meeting, userId = "emma" }))).Status);

        var bot = await Manager.UntilAsync(id, Timeout, "completed");
        Assert.Equal("meeting_ended", (string?)bot["reason"]);
        var stalls = BusyMachine.AssertOnlyStallsAreMissing(Manager.Storage, bot);
        var report = (await LiveAudio.ReportAsync(Path.Combine(Manager.Storage, "recordings", "final", "user_emma", $"{id}.ogg"), participants: 2)).Besides(stalls);
        Assert.True(report.IsIntact, report.ToString());
        Assert.Empty(report.Lost(first: 6, last: 28));
        Assert.NotNull(bot["recordingAt"]);
        Assert.Empty(await DockerCli.ContainersOfAsync(Manager.Stack));
    }

    [Fact]
    public async Task A_lost_record_of_an_ended_bot_is_restored_within_seconds_with_its_recording()
    {
        var (_, accepted) = await Manager.PostAsync("/bots", JsonSerializer.Serialize(
            new { meetingUrl = Manager.Rehearsal("participants=1&admitAfter=0&duration=4"), userId = "ida", botName = "Minutes", metadata = new { matter = "43" } }));
        var id = (string)accepted!["id"]!;
        var before = await Manager.UntilAsync(id, Timeout, "completed");

        await FlushAsync();
        var after = await RestoredAsync(id, Timeout);

        foreach (var (field, value) in before.AsObject().Where(field => field.Key is not ("joiningAt" or "recordingAt" or "endedAt" or "participants" or "level")))
            Assert.True(JsonNode.DeepEquals(Seconds(value), Seconds(after[field])), $"{field}: {after}");
        Assert.Equal((DateTimeOffset)before["endedAt"]!, (DateTimeOffset)after["endedAt"]!, TimeSpan.FromSeconds(60));
        using (var recording = await Manager.Api.GetAsync(new Uri($"/bots/{id}/recording", UriKind.Relative)))
            Assert.Equal((long)before["recording"]!["bytes"]!, (await recording.Content.ReadAsByteArrayAsync()).Length);
        using (var deleted = await Manager.Api.DeleteAsync(new Uri($"/bots/{id}", UriKind.Relative)))
            Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await Manager.GetAsync($"/bots/{id}")).Status);
    }

    [Fact]
    [Trait("Suite", "Long")]
    public async Task Chunks_without_a_container_and_a_record_become_a_recording()
    {
        var id = await Manager.RecordAsync(Manager.Rehearsal("participants=1&admitAfter=0&duration=600"), userId: "fritz");
        var recorded = await RecordedAsync(id, seconds: 5);
        Manager.Kill();
        await DockerCli.RunAsync("rm", "--force", $"newar-bot-{id}");
        await FlushAsync();
        Age(Path.Combine(Manager.Storage, "recordings", "temp", "user_fritz", id));
        await Manager.StartAsync();
        await RestoredAsync(id, Timeout);
        var bot = await Manager.UntilAsync(id, Timeout, "completed");

        Assert.Equal("recorder_crashed", (string?)bot["reason"]);
        Assert.True((double)bot["recordedSeconds"]! >= recorded - 2, bot.ToJsonString());
        Assert.False(Directory.Exists(Path.Combine(Manager.Storage, "recordings", "temp", "user_fritz", id)));
        var path = Path.Combine(Manager.Storage, "recordings", "final", "user_fritz", $"{id}.ogg");
        var report = (await LiveAudio.ReportAsync(path, participants: 1)).Besides(BusyMachine.AssertOnlyStallsAndTheEndAreMissing(Manager.Storage, bot));
        Assert.True(report.IsIntact, report.ToString());
    }

    [Fact]
    [Trait("Suite", "Long")]
    public async Task A_recorder_that_exited_without_a_record_and_a_manager_is_finalized_with_its_own_reason()
    {
        var id = await Manager.RecordAsync(Manager.Rehearsal("participants=1&admitAfter=0&duration=600"), userId: "gerda");
        await RecordedAsync(id, seconds: 3);
        Manager.Kill();
        await FlushAsync();
        await DockerCli.RunAsync("stop", "--time", "20", $"newar-bot-{id}");
        await Manager.StartAsync();
        await RestoredAsync(id, Timeout);
        var bot = await Manager.UntilAsync(id, Timeout, "completed");

        Assert.Equal("stop_requested", (string?)bot["reason"]);
        BusyMachine.AssertOnlyStallsAreMissing(Manager.Storage, bot);
        Assert.Empty(await DockerCli.ContainersOfAsync(Manager.Stack));
    }

    /// <summary>Sets all timestamps in the folder to a minute ago.</summary>
    private static void Age(string folder)
    {
        var before = TimeProvider.System.GetUtcNow().UtcDateTime.AddMinutes(-1);
        foreach (var file in Directory.GetFiles(folder))
            File.SetLastWriteTimeUtc(file, before);
        Directory.SetLastWriteTimeUtc(folder, before);
    }

    /// <summary>Times are compared by the second, because they are restored only to the millisecond.</summary>
    private static JsonNode? Seconds(JsonNode? value) =>
        value?.GetValueKind() is JsonValueKind.String && DateTimeOffset.TryParse((string?)value, out var time) ? time.ToUnixTimeSeconds() : value;

    private async Task FlushAsync()
    {
        await using var redis = await host.Redis.ConnectAsync();
        await redis.GetServers()[0].FlushAllDatabasesAsync();
    }

    private Task<JsonNode> RestoredAsync(string id, TimeSpan timeout) => Eventually.NotNullAsync(
        async () => await Manager.GetAsync($"/bots/{id}") is (HttpStatusCode.OK, { } bot) ? bot : null, timeout);

    private async Task<double> RecordedAsync(string id, double seconds)
    {
        double recorded = 0;
        await Eventually.TrueAsync(
            async () => (recorded = (double)(await Manager.GetAsync($"/bots/{id}")).Body!["recordedSeconds"]!) >= seconds, Timeout);
        return recorded;
    }
}
