using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Api;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Ending;
using NewarBots.Manager.Hosting;
using NewarBots.Manager.Launching;
using NewarBots.Manager.Reconciling;
using NewarBots.Manager.Recordings;
using NewarBots.Manager.Scheduling;
using NewarBots.Manager.Tracking;
using NewarBots.Manager.Webhooks;
using StackExchange.Redis;

namespace NewarBots.Tests.Fixtures;

/// <summary>Managers whose recorders are <see cref="InMemoryContainers"/>, with a storage folder of their own.</summary>
public sealed class InMemoryRecorders : IDisposable
{
    private readonly List<IHost> _hosts = [];

    public string Storage { get; } = Directory.CreateTempSubdirectory("newarbots-in-memory-").FullName;

    internal InMemoryContainers Containers { get; } = new();

    public void Dispose()
    {
        foreach (var host in _hosts)
            host.Dispose();
        Directory.Delete(Storage, recursive: true);
    }

    /// <inheritdoc cref="TestManager.Build"/>
    internal IServiceProvider WholeManager(IConnectionMultiplexer redis, TimeProvider time, params (string Key, string Value)[] settings)
    {
        var host = TestManager.Build(Storage, redis, time, settings, services =>
        {
            services.Replace(ServiceDescriptor.Singleton<IRecorderRuntime>(Containers));
            services.Replace(ServiceDescriptor.Singleton<IPortForwarding>(new NoPortForwarding()));
        });
        _hosts.Add(host);
        return host.Services;
    }

    /// <inheritdoc cref="TestManager.Bot"/>
    internal RecorderContainerSpec Bot(string script) => TestManager.Bot(Storage, script);

    /// <summary>Waits for the recorder's exit.</summary>
    internal Task<RecorderExit> ExitOf(SessionId id) =>
        Eventually.NotNullAsync(async () => (await Containers.FindAsync(id, CancellationToken.None))?.Exit);

    private sealed class NoPortForwarding : IPortForwarding
    {
        public Task EnsureAsync(int port, ForwardedService service, CancellationToken cancellation) => Task.CompletedTask;

        public Task RetryTakenPortsAsync(CancellationToken cancellation) => Task.CompletedTask;
    }
}

/// <summary>Builds managers for tests of single services.</summary>
internal static class TestManager
{
    /// <summary>Builds a manager with all its services, none of which runs until a test starts it.</summary>
    public static IHost Build(
        string storage, IConnectionMultiplexer redis, TimeProvider time, (string Key, string Value)[] settings, Action<IServiceCollection>? replace = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Storage:Path"] = storage,
            ["ConnectionStrings:redis"] = redis.Configuration,
        });
        foreach (var (key, value) in settings)
            builder.Configuration[key] = value;
        builder.AddHosting();
        builder.AddApi();
        builder.AddBots();
        builder.AddScheduling();
        builder.AddWebhooks();
        builder.AddContainers();
        builder.AddLaunching();
        builder.AddTracking();
        builder.AddReconciling();
        builder.AddRecordings();
        builder.AddEnding();
        builder.Services.AddSingleton(redis);
        builder.Services.AddSingleton(time);
        replace?.Invoke(builder.Services);
        return builder.Build();
    }

    public static SessionFolders Folders(StorageLayout storage) => new(storage, Options.Create(new LaunchingOptions()));

    public static RecorderAssignment Assignment(SessionId id, string botName) => new()
    {
        SessionId = id,
        MeetingUrl = new Uri("https://meet.google.com/abc-defg-hij"),
        BotName = botName,
    };

    /// <summary>Creates a bot whose recorder runs the script, and its session folder.</summary>
    public static RecorderContainerSpec Bot(string storage, string script)
    {
        var (user, id) = (UserId.Parse("anna"), SessionId.New(TimeProvider.System));
        var folders = Folders(new(storage));
        var folder = folders.Create(user, id);
        folders.WriteInput(user, id, SessionInput.Assignment, Assignment(id, script).ToJson());
        return new(id, user, new Dictionary<string, string>(), folder);
    }
}
