using System.Net;
using System.Text.Json;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Bots;

public sealed class BotLimitsTests(RedisServer redis) : IClassFixture<RedisServer>
{
    [Fact]
    public async Task Quota_and_full_queue_reject_requests_until_a_bot_is_stopped()
    {
        await using var manager = await ManagerProcess.StartAsync(
            redis.Configuration,
            ("DOCKER_HOST", "unix:///nowhere/docker.sock"),
            ("Launching__MaxConcurrentBots", "1"), ("Launching__MaxQueuedBots", "2"), ("Launching__MaxConcurrentBotsPerUser", "2"));
        var first = await manager.RecordAsync(Meeting('a'));
        await manager.RecordAsync(Meeting('b'));

        var (overQuota, quotaProblem) = await manager.PostAsync("/bots", Body('c', "anna"));
        Assert.Equal(HttpStatusCode.TooManyRequests, overQuota);
        Assert.Equal(("urn:newarbots:problem:user-over-quota", 2), ((string?)quotaProblem!["type"], (int?)quotaProblem["limit"]));

        await manager.RecordAsync(Meeting('c'), userId: "bert");
        using var full = await manager.Api.PostAsync(
            new Uri("/bots", UriKind.Relative), new StringContent(Body('d', "carla"), encoding: null, "application/json"));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, full.StatusCode);
        Assert.NotNull(full.Headers.RetryAfter?.Delta);
        Assert.Contains("urn:newarbots:problem:queue-full", await full.Content.ReadAsStringAsync(), StringComparison.Ordinal);

        await manager.PostAsync($"/bots/{first}/stop");
        await manager.RecordAsync(Meeting('d'), userId: "anna");
    }

    private static string Meeting(char number) => $"https://meet.google.com/abc-defg-hi{number}";

    private static string Body(char meeting, string userId) => JsonSerializer.Serialize(new { meetingUrl = Meeting(meeting), userId });
}
