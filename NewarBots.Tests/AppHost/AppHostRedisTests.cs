using System.Net.Http.Json;
using System.Text.Json.Nodes;
using CliWrap;
using NewarBots.Contract;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.AppHost;

/// <summary>
/// The Redis container of the AppHost: the image that <c>eng/redis-image</c> pulls or builds, started by the orchestrator; and a bot that keeps
/// recording while no AppHost runs.
/// </summary>
[Trait("Suite", "Long")]
public sealed class AppHostRedisTests : IAsyncDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromMinutes(6);
    private static readonly TimeSpan BotTimeout = TimeSpan.FromMinutes(4);

    private readonly DirectoryInfo _storage = Directory.CreateTempSubdirectory("newarbots-");
    private readonly string _stack = $"apphost-{SessionId.New(TimeProvider.System)}";
    private readonly int _port = ManagerProcess.FreePort();

    private readonly string _manager = $"http://127.0.0.1:{ManagerProcess.FreePort()}";
    private readonly string _dashboard = $"http://localhost:{ManagerProcess.FreePort()}";
    private readonly HttpClient _http = new();

    private string Redis => $"newarbots-redis-{_port}";

    public async ValueTask DisposeAsync()
    {
        await DockerCli.RemoveStackAsync(_stack);
        await RemoveAsync("rm", "--force", Redis);
        await RemoveAsync("volume", "rm", Redis);
        _storage.Delete(recursive: true);
        _http.Dispose();

        static Task RemoveAsync(params string[] arguments) =>
            Cli.Wrap("docker").WithArguments(arguments).WithValidation(CommandResultValidation.None).ExecuteAsync();
    }

    [Fact]
    public async Task The_Redis_container_and_a_recording_bot_keep_running_and_the_next_AppHost_uses_and_follows_them()
    {
        string scheduled;
        string recording;
        string container;
        await using (var first = Start())
        {
            await first.LineAsync("NewarBots is up", StartTimeout);
            scheduled = await PostAsync(new { meetingUrl = "https://meet.google.com/abc-defg-hij", startAt = TimeProvider.System.GetUtcNow().AddHours(1) });
            recording = await PostAsync(new { meetingUrl = $"{_manager}/rehearsal/abc-defg-hij?participants=1&admitAfter=0&duration=90" });
            await UntilAsync(recording, bot => (double?)bot["recordedSeconds"] >= 2);
            container = await InspectAsync(Redis, "{{.Id}} {{.Config.Image}}");
            Assert.Contains(" newarbots/redis:", container, StringComparison.Ordinal);
            Assert.Contains("--appendonly yes --maxmemory 1gb", await InspectAsync(Redis, "{{join .Args \" \"}}"), StringComparison.Ordinal);
        }

        Assert.Equal("true", await InspectAsync(Redis, "{{.State.Running}}"));
        Assert.Equal("true", await InspectAsync($"newar-bot-{recording}", "{{.State.Running}}"));
        // The ports of the first AppHost are free at once, or this start fails.
        await using (var second = Start())
        {
            await second.LineAsync("NewarBots is up", StartTimeout);
            Assert.Equal("scheduled", (string?)(await BotAsync(scheduled))["status"]);
            Assert.Equal(container, await InspectAsync(Redis, "{{.Id}} {{.Config.Image}}"));

            var ended = await UntilAsync(recording, bot => (string?)bot["status"] is "completed" or "failed");
            Assert.Equal(("completed", "meeting_ended"), ((string?)ended["status"], (string?)ended["reason"]));
            Assert.InRange((double)ended["recording"]!["durationSeconds"]!, 60, 120);
            using var audio = await _http.GetAsync(new Uri($"{_manager}/bots/{recording}/recording"));
            Assert.Equal("audio/ogg", audio.Content.Headers.ContentType?.MediaType);
        }
    }

    private AppHostProcess Start() => new(
        ("ASPNETCORE_URLS", _manager), ("Dashboard__Url", _dashboard), ("Redis__Port", $"{_port}"), ("Storage__Path", _storage.FullName), ("Launching__Stack", _stack));

    /// <returns>The bot's id.</returns>
    private async Task<string> PostAsync(object request)
    {
        using var accepted = await _http.PostAsJsonAsync(new Uri($"{_manager}/bots"), request);
        return (string)(await accepted.Content.ReadFromJsonAsync<JsonNode>())!["id"]!;
    }

    private async Task<JsonNode> BotAsync(string id) => (await _http.GetFromJsonAsync<JsonNode>(new Uri($"{_manager}/bots/{id}")))!;

    private Task<JsonNode> UntilAsync(string id, Func<JsonNode, bool> condition) =>
        Eventually.NotNullAsync(async () => await BotAsync(id) is var bot && condition(bot) ? bot : null, BotTimeout);

    private static Task<string> InspectAsync(string name, string format) => DockerCli.RunAsync("inspect", "--format", format, name);
}
