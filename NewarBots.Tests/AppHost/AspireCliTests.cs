using System.Net.Http.Json;
using System.Text.Json.Nodes;
using System.Xml.Linq;
using CliWrap;
using CliWrap.Buffered;
using NewarBots.Tests.Fixtures;
using NewarBots.Tests.Lives;

namespace NewarBots.Tests.AppHost;

/// <summary>Commands of <c>docs/aspire.md</c>, by the Aspire CLI of the package feed and a running AppHost.</summary>
[Collection(AloneOnTheMachine.Name)]
[Trait("Suite", "Long")]
public sealed class AspireCliTests(RedisServer redis) : IClassFixture<RedisServer>, IAsyncDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromMinutes(6);
    private static readonly TimeSpan CommandTimeout = TimeSpan.FromMinutes(2);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("newarbots-aspire-");

    private string Stack => _folder.Name;

    public async ValueTask DisposeAsync()
    {
        await DockerCli.RemoveStackAsync(Stack);
        // The dashboard still writes there until it has exited, some seconds after the AppHost.
        await Eventually.TrueAsync(TryDelete);
    }

    [Fact]
    public async Task The_documented_commands_describe_a_running_AppHost_and_record_a_rehearsal()
    {
        await InstallAsync();
        // The CLI finds AppHosts below the home folder. This one is alone there.
        await using var host = new AppHostProcess(
            ("HOME", _folder.FullName), ("ConnectionStrings__redis", redis.Configuration), ("Launching__Stack", Stack));
        await host.LineAsync("NewarBots is up", StartTimeout);

        var running = JsonNode.Parse(await AspireAsync("ps", "--format", "json"))!.AsArray();
        Assert.EndsWith("NewarBots.AppHost.csproj", (string?)Assert.Single(running)!["appHostPath"], StringComparison.Ordinal);
        var resources = await AspireAsync("describe");
        Assert.All(["manager", "recorder-image", "redis"], name => Assert.Contains(name, resources, StringComparison.Ordinal));
        Assert.Contains("Now listening on", await AspireAsync("logs", "manager"), StringComparison.Ordinal);

        await AspireAsync("resource", "manager", "record-rehearsal");

        using var http = new HttpClient();
        var bots = await http.GetFromJsonAsync<JsonNode>(new Uri(host.Manager, "/bots"));
        Assert.Contains("/rehearsal/", (string?)Assert.Single(bots!["items"]!.AsArray())!["meetingUrl"], StringComparison.Ordinal);
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
        using var timeout = new CancellationTokenSource(CommandTimeout, TimeProvider.System);
        var result = await Cli.Wrap(Path.Combine(_folder.FullName, "aspire"))
            .WithArguments([.. arguments, "--non-interactive", "--nologo"])
            .WithWorkingDirectory(Repository.Root)
            .WithEnvironmentVariables(environment => environment.Set("HOME", _folder.FullName).Set("ASPIRE_CLI_TELEMETRY_OPTOUT", "true"))
            .WithValidation(CommandResultValidation.None)
            .ExecuteBufferedAsync(timeout.Token);
        Assert.True(result.ExitCode == 0, $"aspire {string.Join(' ', arguments)} exited with {result.ExitCode}:\n{result.StandardOutput}{result.StandardError}");
        return result.StandardOutput;
    }
}
