using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using CliWrap;
using CliWrap.Buffered;
using NewarBots.Contract;
using NewarBots.Tests.Fixtures;
using NewarBots.Tests.Lives;

namespace NewarBots.Tests.Deployment;

/// <summary>
/// Deploys with <c>deploy/up</c>. Redis and the dashboard are the real programs, in images built here, because a test machine may not reach
/// the registries of their published images.
/// </summary>
[Trait(LifeTests.Group, LifeTests.Name)]
[Trait("Suite", "Long")]
public sealed class ComposeTests : IAsyncLifetime
{
    private const string RedisImage = "newarbots-tests/redis:dev";
    private const string DashboardImage = "newarbots-tests/dashboard:dev";

    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(3);

    private readonly string _folder = Directory.CreateTempSubdirectory("newarbots-deployment-").FullName;
    private readonly string _stack = $"test-{SessionId.New(TimeProvider.System)}";
    private readonly int _port = ManagerProcess.FreePort();
    private readonly int _dashboardPort = ManagerProcess.FreePort();
    private readonly Dictionary<string, string?> _environment = [];

    private string Storage => Path.Combine(_folder, "storage");

    private string Project => $"newarbots{_port}";

    private string Manager => $"{Project}_manager_1";

    public async ValueTask InitializeAsync()
    {
        await BuildImagesAsync();
        var settings = Path.Combine(_folder, "manager.env");
        await File.WriteAllTextAsync(settings, $"Rehearsal__Enabled=true\nLaunching__Stack={_stack}\n");
        foreach (var (name, value) in new Dictionary<string, string>
        {
            ["COMPOSE_PROJECT_NAME"] = Project,
            ["COMPOSE_COMPATIBILITY"] = "true",
            ["NEWARBOTS_ENV_FILE"] = Path.Combine(_folder, "env"),
            ["NEWARBOTS_MANAGER_SETTINGS"] = settings,
            ["NEWARBOTS_STORAGE"] = Storage,
            ["NEWARBOTS_REDIS_IMAGE"] = RedisImage,
            ["NEWARBOTS_DASHBOARD_IMAGE"] = DashboardImage,
            ["NEWARBOTS_RECORDER_IMAGE"] = Environment.GetEnvironmentVariable("Launching__Image") ?? "newarbots/recorder:dev",
            ["NEWARBOTS_PORT"] = Text(_port),
            ["NEWARBOTS_DASHBOARD_PORT"] = Text(_dashboardPort),
            ["NEWARBOTS_REDIS_PORT"] = Text(ManagerProcess.FreePort()),
            ["NEWARBOTS_OTLP_PORT"] = Text(ManagerProcess.FreePort()),
        })
            _environment[name] = value;
    }

    public async ValueTask DisposeAsync()
    {
        await ComposeAsync("down", "--volumes");
        await DockerCli.RemoveStackAsync(_stack);
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Deployment_starts_with_one_command_and_bots_survive_an_upgrade()
    {
        await UpAsync();
        using var api = new HttpClient { BaseAddress = new($"http://127.0.0.1:{_port}") };
        using (var dashboard = new HttpClient())
            await Eventually.TrueAsync(() => AnswersAsync(dashboard, new($"http://127.0.0.1:{_dashboardPort}/login")), Timeout);
        Assert.Equal("10001:10001", await DockerCli.RunAsync("inspect", "--format", "{{.Config.User}}", Manager));

        var meeting = $"http://localhost:{_port}/rehearsal/abc-defg-hij?participants=1&admitAfter=0&duration=45";
        using var answer = await api.PostAsJsonAsync("/bots", new { meetingUrl = meeting, userId = "compose" });
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        var id = (string)(await answer.Content.ReadFromJsonAsync<JsonNode>())!["id"]!;
        await UntilAsync(api, id, bot => (double?)bot["recordedSeconds"] >= 3);
        var session = Path.Combine(Storage, "recordings", "temp", "user_compose", id);
        Assert.Contains(session, await DockerCli.RunAsync("inspect", "--format", "{{range .Mounts}}{{.Source}} {{end}}", $"newar-bot-{id}"), StringComparison.Ordinal);

        // An upgrade replaces the manager's container.
        var before = await DockerCli.RunAsync("inspect", "--format", "{{.Id}}", Manager);
        await File.AppendAllTextAsync(_environment["NEWARBOTS_MANAGER_SETTINGS"]!, "Launching__MaxConcurrentBots=7\n");
        await UpAsync();
        Assert.NotEqual(before, await DockerCli.RunAsync("inspect", "--format", "{{.Id}}", Manager));
        var ended = await UntilAsync(api, id, bot => (string?)bot["status"] is "completed" or "failed");
        Assert.Equal("meeting_ended", (string?)ended["reason"]);
        var stalls = BusyMachine.AssertOnlyStallsAreMissing(Storage, ended);

        await ComposeAsync("down");
        Assert.Empty(await DockerCli.RunAsync("ps", "--all", "--quiet", "--filter", $"label=com.docker.compose.project={Project}"));
        var report = (await LiveAudio.ReportAsync(Path.Combine(Storage, "recordings", "final", "user_compose", $"{id}.ogg"), participants: 1)).Besides(stalls);
        Assert.True(report.IsIntact, report.ToString());
        Assert.Empty(report.Lost(first: 6, last: 43));
    }

    private async Task UpAsync()
    {
        var result = await Cli.Wrap(Repository.PathOf("deploy", "up")).WithEnvironmentVariables(_environment)
            .WithValidation(CommandResultValidation.None).ExecuteBufferedAsync();
        Assert.True(result.IsSuccess, result.StandardOutput + result.StandardError);
    }

    private async Task ComposeAsync(params string[] arguments)
    {
        var isPlugin = (await Cli.Wrap("docker").WithArguments(["compose", "version"]).WithValidation(CommandResultValidation.None).ExecuteBufferedAsync()).IsSuccess;
        await Cli.Wrap(isPlugin ? "docker" : "docker-compose")
            .WithArguments([.. isPlugin ? ["compose"] : Array.Empty<string>(), "--env-file", _environment["NEWARBOTS_ENV_FILE"]!, .. arguments])
            .WithWorkingDirectory(Repository.PathOf("deploy"))
            .WithEnvironmentVariables(_environment)
            .ExecuteBufferedAsync();
    }

    private static async Task<JsonNode> UntilAsync(HttpClient api, string id, Func<JsonNode, bool> condition)
    {
        JsonNode? bot = null;
        try
        {
            await Eventually.TrueAsync(async () => condition(bot = (await api.GetFromJsonAsync<JsonNode>($"/bots/{id}"))!), Timeout);
        }
        catch (TimeoutException exception)
        {
            throw new TimeoutException($"{bot}", exception);
        }

        return bot!;
    }

    private static async Task<bool> AnswersAsync(HttpClient http, Uri address)
    {
        try
        {
            return (await http.GetAsync(address)).IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static async Task BuildImagesAsync()
    {
        await BuildAsync(RedisImage, """
            FROM debian:bookworm-slim
            RUN apt-get update && apt-get install --yes --no-install-recommends redis-server && rm -rf /var/lib/apt/lists/*
            """);
        await BuildAsync(DashboardImage, """
            FROM debian:bookworm-slim
            RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates libicu72 && rm -rf /var/lib/apt/lists/*
            COPY . /app/
            RUN chmod --recursive a+rX /app
            ENV ASPNETCORE_URLS=http://0.0.0.0:18888 ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL=http://0.0.0.0:18889
            WORKDIR /app
            ENTRYPOINT ["/app/Aspire.Dashboard"]
            """, Path.GetDirectoryName(AspireDashboard.ProgramPath));
    }

    /// <param name="image">The image's name.</param>
    /// <param name="dockerfile">Contents of the Dockerfile.</param>
    /// <param name="files">The folder that the Dockerfile copies from, if it copies.</param>
    private static async Task BuildAsync(string image, string dockerfile, string? files = null)
    {
        var folder = Directory.CreateTempSubdirectory("newarbots-image-");
        try
        {
            var file = Path.Combine(folder.FullName, "Dockerfile");
            await File.WriteAllTextAsync(file, dockerfile);
            await DockerCli.RunAsync("build", "--tag", image, "--file", file, files ?? folder.FullName);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
