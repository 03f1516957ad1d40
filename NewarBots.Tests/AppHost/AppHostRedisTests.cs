using System.Net.Http.Json;
using System.Text.Json.Nodes;
using CliWrap;
using NewarBots.Contract;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.AppHost;

/// <summary>The Redis container of the AppHost: the image that <c>eng/redis-image</c> pulls or builds, started by the orchestrator.</summary>
[Trait("Suite", "Long")]
public sealed class AppHostRedisTests : IAsyncDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromMinutes(6);

    private readonly DirectoryInfo _storage = Directory.CreateTempSubdirectory("newarbots-");
    private readonly string _stack = $"apphost-{SessionId.New(TimeProvider.System)}";
    private readonly int _port = ManagerProcess.FreePort();

    private string Redis => $"newarbots-redis-{_port}";

    public async ValueTask DisposeAsync()
    {
        await DockerCli.RemoveStackAsync(_stack);
        await RemoveAsync("rm", "--force", Redis);
        await RemoveAsync("volume", "rm", Redis);
        _storage.Delete(recursive: true);

        static Task RemoveAsync(params string[] arguments) =>
            Cli.Wrap("docker").WithArguments(arguments).WithValidation(CommandResultValidation.None).ExecuteAsync();
    }

    [Fact]
    public async Task The_Redis_container_keeps_running_with_its_data_and_the_next_AppHost_uses_it()
    {
        string id;
        string container;
        await using (var first = Start())
        {
            await first.LineAsync("NewarBots is up", StartTimeout);
            using var http = new HttpClient();
            using var accepted = await http.PostAsJsonAsync(
                new Uri(first.Manager, "/bots"),
                new { meetingUrl = "https://meet.google.com/abc-defg-hij", startAt = TimeProvider.System.GetUtcNow().AddHours(1) });
            id = (string)(await accepted.Content.ReadFromJsonAsync<JsonNode>())!["id"]!;
            container = await InspectAsync("{{.Id}} {{.Config.Image}}");
            Assert.Contains(" newarbots/redis:", container, StringComparison.Ordinal);
            Assert.Contains("--appendonly yes --maxmemory 1gb", await InspectAsync("{{join .Args \" \"}}"), StringComparison.Ordinal);
        }

        Assert.Equal("true", await InspectAsync("{{.State.Running}}"));
        await using (var second = Start())
        {
            await second.LineAsync("NewarBots is up", StartTimeout);
            using var http = new HttpClient();
            Assert.Equal("scheduled", (string?)(await http.GetFromJsonAsync<JsonNode>(new Uri(second.Manager, $"/bots/{id}")))!["status"]);
            Assert.Equal(container, await InspectAsync("{{.Id}} {{.Config.Image}}"));
        }
    }

    private AppHostProcess Start() => new(("Redis__Port", $"{_port}"), ("Storage__Path", _storage.FullName), ("Launching__Stack", _stack));

    private Task<string> InspectAsync(string format) => DockerCli.RunAsync("inspect", "--format", format, Redis);
}
