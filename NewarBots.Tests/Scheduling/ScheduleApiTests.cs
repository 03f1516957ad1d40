using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using NewarBots.Tests.Bots;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Scheduling;

public sealed class ScheduleApiTests(QueueingManager queueing) : IClassFixture<QueueingManager>
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(90);

    /// <summary>For a busy machine. BotSchedulerTests has the exact times.</summary>
    private static readonly TimeSpan OnTime = TimeSpan.FromSeconds(30);

    private ManagerProcess Manager => queueing.Manager;

    private static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    [Fact]
    public async Task Scheduled_bot_can_be_read_listed_changed_and_stopped()
    {
        var startAt = Now.AddDays(3);
        var (status, bot) = await PostAsync(Meeting('a'), startAt, user: "carla");
        var id = (string)bot!["id"]!;

        Assert.Equal((HttpStatusCode.Accepted, "scheduled"), (status, (string?)bot["status"]));
        Assert.Equal(startAt, (DateTimeOffset)bot["startAt"]!);
        var (_, list) = await Manager.GetAsync("/bots?userId=carla&status=scheduled");
        Assert.Equal(id, (string?)Assert.Single(list!["items"]!.AsArray())!["id"]);

        var later = Now.AddDays(4).ToOffset(TimeSpan.FromHours(2));
        var (changed, after) = await PatchAsync(id, new { startAt = later, botName = "Other", leave = new { maxDuration = 60 }, metadata = new { @case = "43" } });
        Assert.Equal((HttpStatusCode.OK, "scheduled", "Other", "43"), (changed, (string?)after!["status"], (string?)after["botName"], (string?)after["metadata"]!["case"]));
        Assert.Equal(later.ToUniversalTime(), (DateTimeOffset)after["startAt"]!);
        Assert.Equal(after.ToJsonString(), (await Manager.GetAsync($"/bots/{id}")).Body!.ToJsonString());

        var (stopped, ended) = await Manager.PostAsync($"/bots/{id}/stop");
        Assert.Equal((HttpStatusCode.Accepted, "cancelled", "stop_requested"), (stopped, (string?)ended!["status"], (string?)ended["reason"]));
        var (rejected, problem) = await PatchAsync(id, new { startAt = later });
        Assert.Equal((HttpStatusCode.Conflict, "urn:newarbots:problem:bot-not-scheduled"), (rejected, (string?)problem!["type"]));
        // Deletion needs the container engine, which is unavailable here.
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await DeleteAsync(id));
    }

    [Fact]
    public async Task Scheduled_bot_is_queued_once_its_start_time_has_come_and_publishes_each_status()
    {
        var startAt = Now.AddSeconds(10);
        var (_, bot) = await PostAsync(Meeting('b'), startAt);
        var id = (string)bot!["id"]!;

        await Manager.UntilAsync(id, Timeout, "queued");
        Assert.InRange(Now, startAt, startAt + OnTime);
        await Manager.PostAsync($"/bots/{id}/stop");

        var events = await Manager.Api.GetStringAsync(new Uri($"/bots/{id}/events", UriKind.Relative));
        var statuses = events.Split('\n').Where(line => line.StartsWith("data: ", StringComparison.Ordinal)).Select(line => (string?)JsonNode.Parse(line[6..])!["status"]);
        Assert.Equal(["scheduled", "queued", "cancelled", "cancelled"], statuses);
    }

    [Fact]
    public async Task Rescheduled_bot_starts_at_its_new_time_and_a_start_time_in_the_past_starts_it_at_once()
    {
        var (_, forward) = await PostAsync(Meeting('c'), Now.AddDays(20));
        var (_, now) = await PostAsync(Meeting('d'), Now.AddDays(20));
        var (_, early) = await PostAsync(Meeting('e'), Now.AddMinutes(-10));

        var startAt = Now.AddSeconds(10);
        await PatchAsync((string)forward!["id"]!, new { startAt });
        await PatchAsync((string)now!["id"]!, new { startAt = Now.AddMinutes(-10) });

        Assert.Equal("queued", (string?)early!["status"]);
        await Manager.UntilAsync((string)now["id"]!, Timeout, "queued");
        await Manager.UntilAsync((string)forward["id"]!, Timeout, "queued");
        Assert.InRange(Now, startAt, startAt + OnTime);
    }

    [Fact]
    public async Task Meeting_can_be_scheduled_repeatedly_even_while_a_bot_is_in_it()
    {
        await Manager.RecordAsync(Meeting('f'));

        foreach (var days in (int[])[1, 8, 15, 15])
            Assert.Equal(HttpStatusCode.Accepted, (await PostAsync(Meeting('f'), Now.AddDays(days))).Status);
    }

    [Fact]
    public async Task Start_time_older_than_the_maximum_duration_is_rejected_unless_the_request_is_repeated()
    {
        var startAt = Now.AddSeconds(-30);
        var body = JsonSerializer.Serialize(new { meetingUrl = Meeting('g'), startAt, leave = new { maxDuration = 50 } });
        var (status, bot) = await Manager.PostAsync("/bots", body, ("Idempotency-Key", "late"));
        Assert.Equal(HttpStatusCode.Accepted, status);

        await Eventually.TrueAsync(() => Now >= startAt.AddSeconds(50));

        Assert.Equal((string?)bot!["id"], (string?)(await Manager.PostAsync("/bots", body, ("Idempotency-Key", "late"))).Body!["id"]);
        var (rejected, problem) = await Manager.PostAsync("/bots", body);
        Assert.Equal((HttpStatusCode.BadRequest, "startAt"), (rejected, problem!["errors"]!.AsObject().Single().Key));
        var (_, scheduled) = await PostAsync(Meeting('h'), Now.AddDays(1));
        Assert.Equal(HttpStatusCode.BadRequest, (await PatchAsync((string)scheduled!["id"]!, new { startAt = Now.AddDays(-1) })).Status);
    }

    [Fact]
    public async Task Change_of_a_fixed_member_is_rejected_and_changes_nothing()
    {
        var (_, bot) = await PostAsync(Meeting('i'), Now.AddDays(1));
        var id = (string)bot!["id"]!;

        var (status, problem) = await PatchAsync(id, new { meetingUrl = Meeting('j'), userId = "bert", botName = "Other", startAt = Now.AddDays(31) });
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal(["startAt", "userId"], problem!["errors"]!.AsObject().Select(error => error.Key).Order(StringComparer.Ordinal));
        Assert.Equal(bot.ToJsonString(), (await Manager.GetAsync($"/bots/{id}")).Body!.ToJsonString());

        var active = await Manager.RecordAsync(Meeting('k'));
        Assert.Equal(HttpStatusCode.Conflict, (await PatchAsync(active, new { botName = "Other", meetingUrl = Meeting('j') })).Status);
        Assert.NotEqual("Other", (string?)(await Manager.GetAsync($"/bots/{active}")).Body!["botName"]);
        Assert.Equal(HttpStatusCode.NotFound, (await PatchAsync("0199aaaabbbbccccddddeeeeffff0001", new { botName = "Other" })).Status);
    }

    [Fact]
    public async Task Scheduled_bot_can_be_sent_to_another_meeting()
    {
        var (_, bot) = await PostAsync(Meeting('m'), Now.AddDays(1));
        var id = (string)bot!["id"]!;

        Assert.Equal(HttpStatusCode.BadRequest, (await PatchAsync(id, new { meetingUrl = "https://example.com/" })).Status);
        var (_, changed) = await PatchAsync(id, new { meetingUrl = Meeting('n') });
        await PatchAsync(id, new { startAt = Now });
        await Manager.UntilAsync(id, Timeout, "queued");

        Assert.Equal(Meeting('n'), (string?)changed!["meetingUrl"]);
        Assert.Equal(HttpStatusCode.Conflict, (await Manager.PostAsync("/bots", JsonSerializer.Serialize(new { meetingUrl = Meeting('n'), userId = "anna" }))).Status);
        Assert.Equal(HttpStatusCode.Accepted, (await Manager.PostAsync("/bots", JsonSerializer.Serialize(new { meetingUrl = Meeting('m'), userId = "anna" }))).Status);
    }

    [Fact]
    public async Task Name_and_metadata_can_be_changed_after_the_end_and_the_page_of_every_manager_gets_the_change()
    {
        var id = await Manager.RecordAsync(Meeting('o'), userId: "edna");
        await Manager.PostAsync($"/bots/{id}/stop");
        await using var another = await Manager.StartAnotherAsync();
        using var changes = await another.Api.GetStreamAsync(new Uri("/bots/events?userId=edna", UriKind.Relative), TestContext.Current.CancellationToken);
        using var lines = new StreamReader(changes);

        var (status, changed) = await PatchAsync(id, new { botName = "Renamed", metadata = new { @case = "44" } });

        Assert.Equal((HttpStatusCode.OK, "cancelled", "Renamed", "44"), (status, (string?)changed!["status"], (string?)changed["botName"], (string?)changed["metadata"]!["case"]));
        // A change of an ended bot is published once, and a manager that has just started may not have subscribed yet.
        var received = ReadUntilRenamedAsync();
        var attempt = 0;
        await Eventually.TrueAsync(
            async () =>
            {
                await PatchAsync(id, new { botName = $"Renamed {++attempt}" });
                return received.IsCompleted;
            },
            Timeout);
        Assert.NotNull(await received);
        Assert.Equal(id, (string?)Assert.Single((await Manager.GetAsync("/bots?userId=edna&q=renamed&metadata.case=44")).Body!["items"]!.AsArray())!["id"]);

        async Task<string?> ReadUntilRenamedAsync()
        {
            while (true)
            {
                var line = await lines.ReadLineAsync(TestContext.Current.CancellationToken);
                if (line is null || line.Contains("\"Renamed ", StringComparison.Ordinal))
                    return line;
            }
        }
    }

    [Fact]
    public async Task Deleted_scheduled_bot_is_cancelled_and_gone_even_while_the_container_engine_is_unavailable()
    {
        var (_, bot) = await PostAsync(Meeting('p'), Now.AddDays(1));
        var id = (string)bot!["id"]!;

        Assert.Equal(HttpStatusCode.NoContent, await DeleteAsync(id));
        Assert.Equal(HttpStatusCode.NotFound, await DeleteAsync(id));
        Assert.Equal(HttpStatusCode.NotFound, (await Manager.GetAsync($"/bots/{id}")).Status);
    }

    [Fact]
    public async Task Bot_shows_its_leave_conditions_including_defaults()
    {
        var (_, bot) = await Manager.PostAsync("/bots", JsonSerializer.Serialize(
            new { meetingUrl = Meeting('l'), startAt = Now.AddHours(1), leave = new { everyoneLeftTimeout = 90.5, maxDuration = 60 } }));
        Assert.Equal(
            """{"waitingRoomTimeout":600,"nobodyJoinedTimeout":600,"everyoneLeftTimeout":90.5,"maxDuration":60}""", bot!["leave"]!.ToJsonString());

        await PatchAsync((string)bot["id"]!, new { leave = new { silenceTimeout = 300 } });

        Assert.Equal(
            """{"waitingRoomTimeout":600,"nobodyJoinedTimeout":600,"everyoneLeftTimeout":60,"silenceTimeout":300,"maxDuration":14400}""",
            (await Manager.GetAsync($"/bots/{bot["id"]}")).Body!["leave"]!.ToJsonString());
    }

    private static string Meeting(char number) => $"https://meet.google.com/sch-edul-ed{number}";

    private Task<(HttpStatusCode Status, JsonNode? Body)> PostAsync(string meetingUrl, DateTimeOffset startAt, string user = "anna") =>
        Manager.PostAsync("/bots", JsonSerializer.Serialize(new { meetingUrl, userId = user, startAt }));

    private async Task<(HttpStatusCode Status, JsonNode? Body)> PatchAsync(string id, object change)
    {
        using var body = new StringContent(JsonSerializer.Serialize(change), Encoding.UTF8, "application/json");
        using var response = await Manager.Api.PatchAsync(new Uri($"/bots/{id}", UriKind.Relative), body);
        return (response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync()));
    }

    private async Task<HttpStatusCode> DeleteAsync(string id) => (await Manager.Api.DeleteAsync(new Uri($"/bots/{id}", UriKind.Relative))).StatusCode;
}
