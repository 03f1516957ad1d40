using System.Text;
using CliWrap;
using CliWrap.Buffered;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using NewarBots.Contract;
using NewarBots.Manager.Launching;

namespace NewarBots.Tests.Launching;

/// <summary>
/// The real engine with recorders that are shell scripts: the image runs what stands in <c>BOT_NAME</c>. A stack and a network of
/// its own, all removed at the end.
/// </summary>
public sealed class ScriptedRecorders : IAsyncLifetime
{
    private const string Image = "newarbots-tests/scripted:1";

    private readonly List<IHost> _hosts = [];

    /// <summary>Unique on this engine.</summary>
    public string Stack { get; } = $"test-{SessionId.New(TimeProvider.System)}";

    public string Storage { get; } = Directory.CreateTempSubdirectory("newarbots-containers-").FullName;

    internal IRecorderContainers Containers => field ??= Manager();

    public async ValueTask InitializeAsync()
    {
        if ((await Docker("image", "inspect", Image)).ExitCode == 0)
            return;

        const string Dockerfile = """
            FROM debian:bookworm-slim
            CMD ["sh", "-c", "eval \"$BOT_NAME\""]
            """;
        await Cli.Wrap("docker").WithArguments(["build", "--tag", Image, "-"])
            .WithStandardInputPipe(PipeSource.FromString(Dockerfile))
            .ExecuteBufferedAsync();
    }

    public async ValueTask DisposeAsync()
    {
        var left = (await Docker("ps", "--all", "--quiet", "--filter", $"label=newarbots.stack={Stack}")).StandardOutput;
        foreach (var container in left.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            await Docker("rm", "--force", container);
        await Docker("network", "rm", Stack);
        foreach (var host in _hosts)
            host.Dispose();
        Directory.Delete(Storage, recursive: true);
    }

    /// <summary>What a manager with these settings talks to the engine by.</summary>
    internal IRecorderContainers Manager(params (string Key, string Value)[] settings) =>
        Services(settings).GetRequiredService<IRecorderContainers>();

    internal IServiceProvider Services(params (string Key, string Value)[] settings)
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
        builder.AddLaunching();
        var host = builder.Build();
        _hosts.Add(host);
        return host.Services;
    }

    /// <summary>A bot whose recorder runs the script, and its folder.</summary>
    internal RecorderContainerSpec Bot(string script)
    {
        var environment = new RecorderEnvironment
        {
            SessionId = SessionId.New(TimeProvider.System),
            UserId = UserId.Parse("anna"),
            MeetingUrl = new Uri("https://meet.google.com/abc-defg-hij"),
            BotName = script,
        };
        var folder = new StorageLayout(Storage).SessionFolder(environment.UserId, environment.SessionId);
        Directory.CreateDirectory(folder);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(folder, (UnixFileMode)0x1FF);
        return new(environment, folder);
    }

    /// <summary>Its exit, once it has ended.</summary>
    internal async Task<RecorderExit> ExitOf(SessionId id)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (true)
        {
            if (await Containers.FindAsync(id, deadline.Token) is { Exit: { } exit })
                return exit;
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, deadline.Token);
        }
    }

    /// <summary>Launches the bot, waits for its end and gives what it printed.</summary>
    internal async Task<string> Run(string script)
    {
        var bot = Bot(script);
        await Containers.LaunchAsync(bot, CancellationToken.None);
        await ExitOf(bot.Environment.SessionId);
        return await LogOf(bot.Environment.SessionId);
    }

    internal async Task<string> LogOf(SessionId id)
    {
        using var log = new MemoryStream();
        await Containers.CopyLogAsync(id, log, CancellationToken.None);
        return Encoding.UTF8.GetString(log.ToArray());
    }

    /// <summary>The client on the PATH, to look at the engine past the code under test.</summary>
    internal static Task<BufferedCommandResult> Docker(params string[] arguments) =>
        Cli.Wrap("docker").WithArguments(arguments).WithValidation(CommandResultValidation.None).ExecuteBufferedAsync();
}
