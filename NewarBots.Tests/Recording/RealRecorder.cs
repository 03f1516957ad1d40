using System.Collections.Concurrent;
using System.Net;
using CliWrap;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Primitives;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Launching;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Recording;

/// <summary>
/// The real recorder in its real container with all its limits, in a call that is an HTML page served by the test. Everything is
/// removed at the end.
/// </summary>
internal sealed class RealRecorder : RecorderFolder, IAsyncDisposable
{
    /// <summary>For a recorder's start and end, on a busy machine.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(2);

    private readonly string _stack = $"test-{SessionId.New(TimeProvider.System)}";
    private readonly string _storage;
    private readonly WebApplication _page;
    private readonly IHost _manager;
    private readonly SessionId _session;
    private SmallDisk? _disk;

    private RealRecorder(
        WebApplication page, ConcurrentQueue<string> cookies, ConcurrentQueue<(IHeaderDictionary, string)> posts, string storage, SessionId session)
        : base(new StorageLayout(storage).SessionFolder(UserId.Default, session))
    {
        (_page, Cookies, Posts, _storage, _session) = (page, cookies, posts, storage, session);
        var builder = new HostApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Launching:Stack"] = _stack,
            ["Launching:Network"] = _stack,
        });
        // Reads the manager's settings, for example Launching__Image.
        builder.Configuration.AddEnvironmentVariables();
        builder.Services.AddSingleton(new StorageLayout(_storage));
        builder.AddContainers();
        builder.AddLaunching();
        _manager = builder.Build();
    }

    /// <summary>The Cookie header of each request for the page.</summary>
    public IReadOnlyCollection<string> Cookies { get; }

    /// <summary>The requests that the page's scripts posted.</summary>
    public IReadOnlyCollection<(IHeaderDictionary Headers, string Body)> Posts { get; }

    private IRecorderRuntime Containers => _manager.Services.GetRequiredService<IRecorderRuntime>();

    /// <summary>Launches a recorder into a call.</summary>
    /// <param name="html">The page that shows the call.</param>
    /// <param name="policy">The page's content security policy.</param>
    /// <param name="leave">When the recorder leaves.</param>
    /// <param name="diskKilobytes">The size of the disk; requires root.</param>
    /// <param name="joining">The manager's joining settings, for the page's origin.</param>
    /// <param name="tracks">Whether to record each track separately as well.</param>
    /// <param name="map">Adds endpoints to the page's origin.</param>
    public static async Task<RealRecorder> StartAsync(
        string html,
        string policy = "",
        LeaveConditions? leave = null,
        int? diskKilobytes = null,
        Func<string, JoiningOptions>? joining = null,
        bool tracks = false,
        Action<WebApplication>? map = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var bridge = IPAddress.Parse(await DockerCli.BridgeAddressAsync());
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(bridge, port: 0));
        var page = builder.Build();
        map?.Invoke(page);
        var cookies = new ConcurrentQueue<string>();
        page.MapGet("/", (HttpRequest request, HttpResponse response) =>
        {
            cookies.Enqueue(request.Headers.Cookie.ToString());
            response.Headers.ContentSecurityPolicy = policy;
            return Results.Content(html, "text/html");
        });
        var posts = new ConcurrentQueue<(IHeaderDictionary, string)>();
        page.MapPost("/", async (HttpRequest request) =>
        {
            using var reader = new StreamReader(request.Body);
            posts.Enqueue((new HeaderDictionary(new Dictionary<string, StringValues>(request.Headers, StringComparer.OrdinalIgnoreCase)), await reader.ReadToEndAsync()));
        });
        await page.StartAsync();

        var recorder = new RealRecorder(
            page, cookies, posts, Directory.CreateTempSubdirectory("newarbots-recorder-").FullName, SessionId.New(TimeProvider.System));
        if (diskKilobytes is { } size)
            recorder._disk = await SmallDisk.MountAsync(new StorageLayout(recorder._storage).TempRoot, size);
        var origin = $"http://localhost:{new Uri(page.Urls.Single()).Port}";
        await recorder.LaunchAsync(new Uri(origin), leave ?? new(), joining?.Invoke(origin) ?? new(), tracks);
        return recorder;
    }

    /// <summary>Waits until so many seconds are recorded.</summary>
    public Task UntilRecordedAsync(double seconds) =>
        Eventually.TrueAsync(() => Statuses().Any(status => status.RecordedSeconds >= seconds), TimeSpan.FromSeconds(seconds) + Timeout);

    /// <summary>Waits for the next status, and returns how many seconds were recorded by then.</summary>
    public async Task<double> NextRecordedAsync()
    {
        var now = TimeProvider.System.GetUtcNow();
        StatusMessage? next = null;
        await Eventually.TrueAsync(() => (next = Statuses().FirstOrDefault(status => status.At >= now && status.RecordedSeconds is not null)) is not null, Timeout);
        return next!.RecordedSeconds!.Value;
    }

    /// <summary>Sends SIGTERM, and SIGKILL after 10 s, as the manager does.</summary>
    public Task StopAsync() => Containers.StopAsync(_session, TimeSpan.FromSeconds(10), CancellationToken.None);

    /// <inheritdoc cref="DockerCli.KillInsideAsync"/>
    public Task KillAsync(string commandLine) => DockerCli.KillInsideAsync(Name, commandLine);

    /// <summary>Drops all UDP packets in the container, or lets them pass again. Requires root.</summary>
    public async Task BlockUdpAsync(bool isBlocked) =>
        await Cli.Wrap("nsenter").WithArguments([
            "--target", (await DockerCli.RunAsync("inspect", "--format", "{{.State.Pid}}", Name)).Trim(), "--net",
            "iptables", isBlocked ? "--append" : "--delete", "INPUT", "--protocol", "udp", "--jump", "DROP"]).ExecuteAsync();

    /// <summary>Takes the container off its network, or puts it back.</summary>
    public Task SetNetworkAsync(bool isConnected) => DockerCli.RunAsync("network", isConnected ? "connect" : "disconnect", _stack, Name);

    /// <summary>Waits for the process to exit and returns its exit code.</summary>
    public async Task<long> ExitCodeAsync(TimeSpan? timeout = null)
    {
        using var deadline = new CancellationTokenSource(timeout ?? Timeout);
        while (true)
        {
            if (await Containers.FindAsync(_session, deadline.Token) is { Exit: { } exit })
                return exit.ExitCode;
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, deadline.Token);
        }
    }

    public Task<string> LogAsync() => DockerCli.RunAsync("logs", Name);

    public async ValueTask DisposeAsync()
    {
        await DockerCli.RemoveStackAsync(_stack);
        await Cli.Wrap("docker").WithArguments(["network", "rm", _stack]).WithValidation(CommandResultValidation.None).ExecuteAsync();
        _manager.Dispose();
        await _page.DisposeAsync();
        if (_disk is not null)
            await _disk.DisposeAsync();
        Directory.Delete(_storage, recursive: true);
    }

    private string Name => RecorderContainerName.Of(_session);

    private async Task LaunchAsync(Uri page, LeaveConditions leave, JoiningOptions joining, bool tracks)
    {
        var folders = TestManager.Folders(new(_storage));
        var folder = folders.Create(UserId.Default, _session);
        var laid = JoiningFile.AllOf(joining).ToDictionary(file => file.NameInSession);
        foreach (var (name, file) in laid)
            folders.WriteInput(UserId.Default, _session, name, file.Read());

        var assignment = new RecorderAssignment
        {
            SessionId = _session,
            MeetingUrl = page,
            BotName = "Notes",
            LocalhostIs = "host.docker.internal",
            Leave = leave,
            RecordTracks = tracks,
            HasSelectorPack = laid.ContainsKey(SessionInput.SelectorPack),
            HasStorageState = laid.ContainsKey(SessionInput.StorageState),
        };
        folders.WriteInput(UserId.Default, _session, SessionInput.Assignment, assignment.ToJson());
        var environment = new RecorderEnvironment { Browser = WireWord.TryParse(joining.Browser, out BrowserKind browser) ? browser : default };
        await Containers.LaunchAsync(new(_session, UserId.Default, environment.ToVariables(), folder), CancellationToken.None);
    }
}
