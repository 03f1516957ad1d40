using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using NewarBots.Tests.Bots;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Scheduling;

public sealed class ScheduleApiTests(QueueingManager queueing) : IClassFixture<QueueingManager>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private ManagerProcess Manager => queueing.Manager;

    private static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    [Fact]
    public async Task A_bot_is_scheduled_shown_listed_changed_cancelled_and_deleted()
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

        Assert.Equal(HttpStatusCode.Conflict, await DeleteAsync(id));
        var (stopped, ended) = await Manager.PostAsync($"/bots/{id}/stop");
        Assert.Equal((HttpStatusCode.Accepted, "failed", "stop_requested"), (stopped, (string?)ended!["status"], (string?)ended["reason"]));
        var (refused, problem) = await PatchAsync(id, new { startAt = later });
        Assert.Equal((HttpStatusCode.Conflict, "urn:newarbots:problem:bot-not-scheduled"), (refused, (string?)problem!["type"]));
        // The engine is away here, without which nothing is removed.
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await DeleteAsync(id));
    }

    [Fact]
    public async Task It_is_queued_within_two_seconds_of_its_time_and_whoever_follows_it_is_told()
    {
        var startAt = Now.AddSeconds(2);
        var (_, bot) = await PostAsync(Meeting('b'), startAt);
        var id = (string)bot!["id"]!;

        await Manager.UntilAsync(id, Patience, "queued");
        Assert.InRange(Now, startAt, startAt.AddSeconds(2));
        await Manager.PostAsync($"/bots/{id}/stop");

        var events = await Manager.Api.GetStringAsync(new Uri($"/bots/{id}/events", UriKind.Relative));
        var said = events.Split('\n').Where(line => line.StartsWith("data: ", StringComparison.Ordinal)).Select(line => (string?)JsonNode.Parse(line[6..])!["status"]);
        Assert.Equal(["scheduled", "queued", "failed", "failed"], said);
    }

    [Fact]
    public async Task One_that_is_brought_forward_starts_at_its_new_time_and_a_time_that_has_passed_means_now()
    {
        var (_, forward) = await PostAsync(Meeting('c'), Now.AddDays(20));
        var (_, now) = await PostAsync(Meeting('d'), Now.AddDays(20));
        var (_, early) = await PostAsync(Meeting('e'), Now.AddMinutes(-10));

        var startAt = Now.AddSeconds(1);
        await PatchAsync((string)forward!["id"]!, new { startAt });
        await PatchAsync((string)now!["id"]!, new { startAt = Now.AddMinutes(-10) });

        Assert.Equal("queued", (string?)early!["status"]);
        await Manager.UntilAsync((string)now["id"]!, Patience, "queued");
        await Manager.UntilAsync((string)forward["id"]!, Patience, "queued");
        Assert.InRange(Now, startAt, startAt.AddSeconds(2));
    }

    [Fact]
    public async Task One_meeting_may_be_scheduled_again_and_again_also_while_a_bot_is_there()
    {
        await Manager.RecordAsync(Meeting('f'));

        foreach (var days in (int[])[1, 8, 15, 15])
            Assert.Equal(HttpStatusCode.Accepted, (await PostAsync(Meeting('f'), Now.AddDays(days))).Status);
    }

    [Fact]
    public async Task What_would_have_had_to_leave_by_now_is_refused_but_not_where_the_request_is_only_repeated()
    {
        var startAt = Now.AddSeconds(-30);
        var body = JsonSerializer.Serialize(new { meetingUrl = Meeting('g'), startAt, leave = new { maxDuration = 32 } });
        var (status, bot) = await Manager.PostAsync("/bots", body, ("Idempotency-Key", "late"));
        Assert.Equal(HttpStatusCode.Accepted, status);

        await Eventually.TrueAsync(() => Now >= startAt.AddSeconds(32));

        Assert.Equal((string?)bot!["id"], (string?)(await Manager.PostAsync("/bots", body, ("Idempotency-Key", "late"))).Body!["id"]);
        var (refused, problem) = await Manager.PostAsync("/bots", body);
        Assert.Equal((HttpStatusCode.BadRequest, "startAt"), (refused, problem!["errors"]!.AsObject().Single().Key));
        var (_, scheduled) = await PostAsync(Meeting('h'), Now.AddDays(1));
        Assert.Equal(HttpStatusCode.BadRequest, (await PatchAsync((string)scheduled!["id"]!, new { startAt = Now.AddDays(-1) })).Status);
    }

    [Fact]
    public async Task A_change_of_what_cannot_be_changed_is_refused_and_changes_nothing()
    {
        var (_, bot) = await PostAsync(Meeting('i'), Now.AddDays(1));
        var id = (string)bot!["id"]!;

        var (status, problem) = await PatchAsync(id, new { meetingUrl = Meeting('j'), userId = "bert", botName = "Other", startAt = Now.AddDays(31) });
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal(["meetingUrl", "startAt", "userId"], problem!["errors"]!.AsObject().Select(error => error.Key).Order(StringComparer.Ordinal));
        Assert.Equal(bot.ToJsonString(), (await Manager.GetAsync($"/bots/{id}")).Body!.ToJsonString());

        var active = await Manager.RecordAsync(Meeting('k'));
        Assert.Equal(HttpStatusCode.Conflict, (await PatchAsync(active, new { botName = "Other" })).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await PatchAsync("0199aaaabbbbccccddddeeeeffff0001", new { botName = "Other" })).Status);
    }

    [Fact]
    public async Task It_shows_the_leave_conditions_in_force_those_that_were_not_given_among_them()
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
