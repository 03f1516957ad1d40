using System.Net;
using System.Text.Json;
using NewarBots.Tests.Fixtures;
using StackExchange.Redis;

namespace NewarBots.Tests.Lives;

/// <summary>Redis answers but rejects changes.</summary>
[Trait(LifeTests.Group, LifeTests.Name)]
public sealed class RejectedWritesTests
{
    [Theory]
    [InlineData("maxmemory", "CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0")]
    [InlineData("min-replicas-to-write", "CONFIG SET min-replicas-to-write 1", "CONFIG SET min-replicas-to-write 0")]
    [InlineData("read-only replica", "REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE")]
    public async Task Health_and_errors_name_the_reason_and_a_recording_bot_can_be_stopped(string reason, string reject, string accept)
    {
        await using var host = await LightHost.StartAsync();
        await using var redis = await host.Redis.ConnectAsync();
        var id = await host.Manager.RecordAsync(host.Manager.Rehearsal("duration=600"), userId: "full");
        await host.RecordedAsync(id, seconds: 2);

        await ExecuteAsync(redis, reject);
        try
        {
            var check = await Eventually.NotNullAsync(async () =>
                (await host.Manager.GetAsync("/health")).Body!["checks"]!["redis"] is { } redisCheck && (string?)redisCheck["status"] != "healthy" ? redisCheck : null);
            Assert.Contains("Redis", (string?)check["description"], StringComparison.Ordinal);
            var (status, problem) = await host.Manager.PostAsync("/bots", JsonSerializer.Serialize(new { meetingUrl = host.Manager.Rehearsal("other=1") }));
            Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
            Assert.Contains(reason, (string?)problem!["detail"], StringComparison.Ordinal);

            Assert.Equal(HttpStatusCode.Accepted, (await host.Manager.PostAsync($"/bots/{id}/stop")).Status);
            await Eventually.TrueAsync(
                async () => await DockerCli.RunAsync("inspect", "--format", "{{.State.Status}}", $"newar-bot-{id}") == "exited", TimeSpan.FromMinutes(2));
        }
        finally
        {
            await ExecuteAsync(redis, accept);
        }

        var bot = await host.Manager.UntilAsync(id, TimeSpan.FromMinutes(3), "completed");
        Assert.Equal("stop_requested", (string?)bot["reason"]);
    }

    private static Task<RedisResult> ExecuteAsync(ConnectionMultiplexer redis, string command)
    {
        var words = command.Split(' ');
        return redis.GetServers()[0].ExecuteAsync(words[0], [.. words[1..]]);
    }
}
