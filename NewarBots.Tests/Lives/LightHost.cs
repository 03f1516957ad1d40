using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Lives;

/// <summary>
/// Like <see cref="RecordingHost"/>, but bots open no browser and record generated audio.
/// </summary>
public sealed class LightHost : IAsyncLifetime
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(2);

    internal RedisServer Redis { get; private set; } = null!;

    internal ManagerProcess Manager { get; private set; } = null!;

    private string Storage { get; set; } = null!;

    internal static Task<LightHost> StartAsync(params (string Name, string Value)[] settings) => StartAsync(redisOnBridge: true, settings);

    /// <param name="redisOnBridge">Bots connect to Redis directly; otherwise through the manager's relay, because Redis listens on the loopback only.</param>
    /// <param name="settings">Environment variables of the manager.</param>
    internal static async Task<LightHost> StartAsync(bool redisOnBridge, params (string Name, string Value)[] settings)
    {
        var host = new LightHost();
        await host.StartAllAsync(redisOnBridge, settings);
        return host;
    }

    /// <inheritdoc cref="ManagerProcess.StartAsUserAsync"/>
    internal static async Task<LightHost> StartAsUserAsync(int user)
    {
        var host = new LightHost();
        await host.StartAllAsync(redisOnBridge: true, [], user);
        return host;
    }

    public async ValueTask InitializeAsync() => await StartAllAsync(redisOnBridge: true, []);

    public async ValueTask DisposeAsync()
    {
        await Manager.DisposeAsync();
        await Redis.DisposeAsync();
    }

    internal string RecordingOf(string id, string user) => Path.Combine(Storage, "recordings", "final", $"user_{user}", $"{id}.ogg");

    internal string FolderOf(string id, string user) => Path.Combine(Storage, "recordings", "temp", $"user_{user}", id);

    /// <summary>Session folders that are not finalized.</summary>
    internal IEnumerable<string> Folders() =>
        Directory.GetDirectories(Path.Combine(Storage, "recordings", "temp"), "user_*").SelectMany(Directory.GetFileSystemEntries);

    /// <summary>Waits until the bot reports that many recorded seconds.</summary>
    /// <returns>The reported seconds.</returns>
    internal async Task<double> RecordedAsync(string id, double seconds, ManagerProcess? by = null)
    {
        double recorded = 0;
        try
        {
            await Eventually.TrueAsync(
                async () => (recorded = (double?)(await (by ?? Manager).GetAsync($"/bots/{id}")).Body?["recordedSeconds"] ?? 0) >= seconds, Timeout);
        }
        catch (TimeoutException exception)
        {
            throw new TimeoutException(await AccountOfAsync(id), exception);
        }

        return recorded;
    }

    /// <summary>The bot's record, manifest and logs, for failure messages.</summary>
    internal async Task<string> AccountOfAsync(string id) => string.Join(
        '\n',
        (await Manager.GetAsync($"/bots/{id}")).Body,
        (await Manager.GetAsync($"/bots/{id}/manifest")).Body,
        await Manager.Api.GetStringAsync(new Uri($"/bots/{id}/logs", UriKind.Relative)),
        Manager.Output);

    /// <summary>Asserts that exactly one container was created, and that only the recording's files remain.</summary>
    internal async Task NothingIsLeftAsync(string id, string user, EngineEvents engine)
    {
        Assert.Equal([$"newar-bot-{id}"], await engine.NamesAsync("create"));
        Assert.Equal([$"newar-bot-{id}"], await engine.NamesAsync("start"));
        Assert.DoesNotContain($"newar-bot-{id}", await DockerCli.ContainersOfAsync(Manager.Stack));
        Assert.False(Directory.Exists(FolderOf(id, user)));
        Assert.Equal(
            [$"{id}.json", $"{id}.log", $"{id}.ogg"],
            Directory.GetFileSystemEntries(Path.GetDirectoryName(RecordingOf(id, user))!).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    private async Task StartAllAsync(bool redisOnBridge, (string Name, string Value)[] settings, int user = 0)
    {
        Redis = await RedisServer.RunAsync(redisOnBridge ? [await DockerCli.BridgeAddressAsync()] : []);
        Manager = await ManagerProcess.StartAsUserAsync(user, Redis.Configuration, [("Launching__GenerateAudio", "true"), .. settings]);
        Storage = settings.FirstOrDefault(setting => setting.Name == "Storage__Path").Value ?? Manager.Storage;
    }
}
