using System.Text;
using System.Text.Json;
using CliWrap;
using CliWrap.Buffered;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Launching;
using StackExchange.Redis;

namespace NewarBots.Tests.Fixtures;

/// <summary>
/// The real Docker engine with recorders that are shell scripts: the image runs the script that is its bot's name. Uses its own stack and network, and
/// removes them at the end.
/// </summary>
public sealed class ScriptedRecorders : IAsyncLifetime
{
    private const string Image = "newarbots-tests/scripted:dev";

    private readonly List<IHost> _hosts = [];

    /// <summary>Unique on this engine.</summary>
    public string Stack { get; } = $"test-{SessionId.New(TimeProvider.System)}";

    public string Storage { get; } = Directory.CreateTempSubdirectory("newarbots-containers-").FullName;

    internal IRecorderRuntime Containers => field ??= Manager();

    public async ValueTask InitializeAsync() => await BuildAsync(Image, "debian:bookworm-slim");

    /// <summary>Builds a scripted image from another one, to run its programs under a recorder's limits.</summary>
    internal static async Task BuildAsync(string image, string from)
    {
        // JSON's escapes are among those that printf knows.
        const string Script = """
            botName() { printf '%b' "$(sed -n 's/.*"botName":"\(\([^"\\]\|\\.\)*\)".*/\1/p' /app/storage/session/assignment.json)"; }
            eval "$(botName)"
            """;
        var dockerfile = $"""
            FROM {from}
            ENV LANG=C.UTF-8
            ENTRYPOINT []
            CMD {JsonSerializer.Serialize((string[])["bash", "-c", Script])}
            """;
        await Cli.Wrap("docker").WithArguments(["build", "--tag", image, "-"])
            .WithStandardInputPipe(PipeSource.FromString(dockerfile))
            .ExecuteBufferedAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await DockerCli.RemoveStackAsync(Stack);
        foreach (var network in await IdsAsync("network", "ls", "--quiet", "--filter", $"name={Stack}"))
            await Docker("network", "rm", network);
        foreach (var host in _hosts)
            host.Dispose();
        Directory.Delete(Storage, recursive: true);
    }

    /// <summary>The container adapter of a manager with these settings.</summary>
    internal IRecorderRuntime Manager(params (string Key, string Value)[] settings) =>
        Services(settings).GetRequiredService<IRecorderRuntime>();

    internal IServiceProvider Services(params (string Key, string Value)[] settings) => Services(redis: null, settings);

    internal IServiceProvider Services(IConnectionMultiplexer? redis, params (string Key, string Value)[] settings)
    {
        var builder = new HostApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Launching:Image"] = Image,
            ["Launching:Stack"] = Stack,
            ["Launching:Network"] = Stack,
        });
        builder.Configuration.AddInMemoryCollection(settings.ToDictionary(setting => setting.Key, string? (setting) => setting.Value));
        builder.Services.AddSingleton(new StorageLayout(Storage));
        if (redis is not null)
            builder.Services.AddSingleton(redis);
        builder.AddContainers();
        builder.AddLaunching();
        var host = builder.Build();
        _hosts.Add(host);
        return host.Services;
    }

    /// <inheritdoc cref="TestManager.Build"/>
    internal IServiceProvider WholeManager(IConnectionMultiplexer redis, TimeProvider time, params (string Key, string Value)[] settings)
    {
        var host = TestManager.Build(
            Storage, redis, time, [("Launching:Image", Image), ("Launching:Stack", Stack), ("Launching:Network", Stack), .. settings]);
        _hosts.Add(host);
        return host.Services;
    }

    /// <inheritdoc cref="TestManager.Bot"/>
    internal RecorderContainerSpec Bot(string script) => TestManager.Bot(Storage, script);

    /// <summary>Waits for the container's exit.</summary>
    internal async Task<RecorderExit> ExitOf(SessionId id)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (true)
        {
            if (await Containers.FindAsync(id, deadline.Token) is { Exit: { } exit })
                return exit;
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, deadline.Token);
        }
    }

    /// <summary>Launches a bot, waits for its exit and returns its output.</summary>
    internal async Task<string> Run(string script, params (string Key, string Value)[] settings)
    {
        var bot = Bot(script);
        await Manager(settings).LaunchAsync(bot, CancellationToken.None);
        await ExitOf(bot.Id);
        return await LogOf(bot.Id);
    }

    internal async Task<string> LogOf(SessionId id)
    {
        using var log = new MemoryStream();
        await Containers.CopyLogAsync(id, log, CancellationToken.None);
        return Encoding.UTF8.GetString(log.ToArray());
    }

    private static async Task<string[]> IdsAsync(params string[] arguments) =>
        (await Docker(arguments)).StandardOutput.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Runs the docker client, to inspect the engine independently of the code under test.</summary>
    internal static Task<BufferedCommandResult> Docker(params string[] arguments) =>
        Cli.Wrap("docker").WithArguments(arguments).WithValidation(CommandResultValidation.None).ExecuteBufferedAsync();
}
