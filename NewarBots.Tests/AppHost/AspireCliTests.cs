using System.Net.Http.Json;
using System.Text.Json.Nodes;
using System.Xml.Linq;
using CliWrap;
using CliWrap.Buffered;
using NewarBots.Tests.Fixtures;
using NewarBots.Tests.Lives;

namespace NewarBots.Tests.AppHost;

/// <summary>Commands of <c>docs/aspire.md</c>, by the Aspire CLI of the package feed.</summary>
[Collection(AloneOnTheMachine.Name)]
[Trait("Suite", "Long")]
public sealed class AspireCliTests(RedisServer redis) : IClassFixture<RedisServer>, IAsyncDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(6);

    private static readonly string[] Options = ["--non-interactive", "--nologo"];

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("newarbots-aspire-");

    private string Stack => _folder.Name;

    private string Aspire => Path.Combine(_folder.FullName, "aspire");

    /// <summary>
    /// The CLI finds running AppHosts below the home folder, and <c>aspire run</c> stops that of the same project. This one is alone there.
    /// </summary>
    private (string Name, string Value)[] Variables =>
    [
        ("HOME", _folder.FullName),
        ("NUGET_PACKAGES", Environment.GetEnvironmentVariable("NUGET_PACKAGES")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages")),
        ("ASPIRE_CLI_TELEMETRY_OPTOUT", "true"),
        // In a terminal's environment, it colors redirected output, too.
        ("NO_COLOR", "1"),
    ];

    public async ValueTask DisposeAsync()
    {
        await DockerCli.RemoveStackAsync(Stack);
        // The dashboard still writes there until it has exited, some seconds after the AppHost.
        await Eventually.TrueAsync(TryDelete);
    }

    [Fact]
    public async Task The_documented_commands_start_an_AppHost_describe_it_record_a_rehearsal_and_stop_it()
    {
        await InstallAsync();
        // The AppHost is built already, like all tests' programs.
        await using var host = new AppHostProcess(
            Aspire,
            ["run", "--no-build", .. Options],
            [.. Variables, ("ConnectionStrings__redis", redis.Configuration), ("Launching__Stack", Stack)]);
        await host.LineAsync("Dashboard:", Timeout);
        await AspireAsync("wait", "manager", "--timeout", $"{Timeout.TotalSeconds}");

        var running = JsonNode.Parse(await AspireAsync("ps", "--format", "json"))!.AsArray();
        Assert.EndsWith("NewarBots.AppHost.csproj", (string?)Assert.Single(running)!["appHostPath"], StringComparison.Ordinal);
        var resources = await AspireAsync("describe");
        Assert.All(["manager", "recorder-image", "redis"], name => Assert.Contains(name, resources, StringComparison.Ordinal));
        Assert.Contains("Now listening on", await AspireAsync("logs", "manager"), StringComparison.Ordinal);

        await AspireAsync("resource", "manager", "record-rehearsal");

        using var http = new HttpClient();
        var bots = await http.GetFromJsonAsync<JsonNode>(new Uri(host.Manager, "/bots"));
        Assert.Contains("/rehearsal/", (string?)Assert.Single(bots!["items"]!.AsArray())!["meetingUrl"], StringComparison.Ordinal);
        await Eventually.TrueAsync(
            async () => await TryAspireAsync("otel", "traces", "manager", "--format", "json") is { ExitCode: 0 } traces
                && JsonNode.Parse(traces.StandardOutput)!.AsArray().Any(trace => (string?)trace!["title"] == "record meeting"),
            Timeout);

        await AspireAsync("stop");
        await host.ExitAsync(Timeout);
    }

    private bool TryDelete()
    {
        try
        {
            _folder.Delete(recursive: true);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private async Task InstallAsync()
    {
        var version = XDocument.Load(Repository.PathOf("Directory.Packages.props")).Descendants("AspireVersion").Single().Value;
        await Cli.Wrap("dotnet")
            .WithArguments(["tool", "install", "Aspire.Cli", "--version", version, "--tool-path", _folder.FullName])
            .WithWorkingDirectory(_folder.FullName)
            .ExecuteBufferedAsync(TestContext.Current.CancellationToken);
    }

    /// <returns>The standard output of <c>aspire</c>.</returns>
    private async Task<string> AspireAsync(params string[] arguments)
    {
        var result = await TryAspireAsync(arguments);
        Assert.True(result.ExitCode == 0, $"aspire {string.Join(' ', arguments)} exited with {result.ExitCode}:\n{result.StandardOutput}{result.StandardError}");
        return result.StandardOutput;
    }

    private async Task<BufferedCommandResult> TryAspireAsync(params string[] arguments)
    {
        using var timeout = new CancellationTokenSource(Timeout, TimeProvider.System);
        return await Cli.Wrap(Aspire)
            .WithArguments([.. arguments, .. Options])
            .WithWorkingDirectory(Repository.Root)
            .WithEnvironmentVariables(Variables.ToDictionary(variable => variable.Name, variable => (string?)variable.Value))
            .WithValidation(CommandResultValidation.None)
            .ExecuteBufferedAsync(timeout.Token);
    }
}
