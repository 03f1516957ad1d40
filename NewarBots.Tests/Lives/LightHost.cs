using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Lives;

/// <summary>
/// Like <see cref="RecordingHost"/>, for lives in which the browser is not the point: its bots make their audio themselves.
/// </summary>
public sealed class LightHost : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    internal RedisServer Redis { get; private set; } = null!;

    internal ManagerProcess Manager { get; private set; } = null!;

    internal static Task<LightHost> StartAsync(params (string Name, string Value)[] settings) => StartAsync(redisOnBridge: true, settings);

    /// <param name="redisOnBridge">Bots reach Redis directly; else through the manager's relay, as they do where it listens on the loopback alone.</param>
    /// <param name="settings">Of the manager, over the usual ones.</param>
    internal static async Task<LightHost> StartAsync(bool redisOnBridge, params (string Name, string Value)[] settings)
    {
        var host = new LightHost();
        await host.StartAllAsync(redisOnBridge, settings);
        return host;
    }

    public async ValueTask InitializeAsync() => await StartAllAsync(redisOnBridge: true, []);

    public async ValueTask DisposeAsync()
    {
        await Manager.DisposeAsync();
        await Redis.DisposeAsync();
    }

    internal string RecordingOf(string id, string user) => Path.Combine(Manager.Storage, "recordings", "final", $"user_{user}", $"{id}.ogg");

    internal string FolderOf(string id, string user) => Path.Combine(Manager.Storage, "recordings", "temp", $"user_{user}", id);

    /// <summary>Sessions that still lie among the unfinished ones.</summary>
    internal IEnumerable<string> Folders() =>
        Directory.GetDirectories(Path.Combine(Manager.Storage, "recordings", "temp"), "user_*").SelectMany(Directory.GetFileSystemEntries);

    /// <returns>How much the bot says it has recorded, once that is as much as asked for.</returns>
    internal async Task<double> RecordedAsync(string id, double seconds, ManagerProcess? by = null)
    {
        double recorded = 0;
        try
        {
            await Eventually.TrueAsync(
                async () => (recorded = (double?)(await (by ?? Manager).GetAsync($"/bots/{id}")).Body?["recordedSeconds"] ?? 0) >= seconds, Patience);
        }
        catch (TimeoutException exception)
        {
            throw new TimeoutException(await AccountOfAsync(id), exception);
        }

        return recorded;
    }

    /// <summary>All that is known of a bot, for the failure message.</summary>
    internal async Task<string> AccountOfAsync(string id) => string.Join(
        '\n',
        (await Manager.GetAsync($"/bots/{id}")).Body,
        (await Manager.GetAsync($"/bots/{id}/manifest")).Body,
        await Manager.Api.GetStringAsync(new Uri($"/bots/{id}/logs", UriKind.Relative)),
        Manager.Output);

    /// <summary>Exactly one container was ever made, none is left, and of the folders only the recording's.</summary>
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

    private async Task StartAllAsync(bool redisOnBridge, (string Name, string Value)[] settings)
    {
        Redis = await RedisServer.RunAsync(redisOnBridge ? [await DockerCli.BridgeAddressAsync()] : []);
        Manager = await ManagerProcess.StartAsync(Redis.Configuration, [("Launching__GenerateAudio", "true"), .. settings]);
    }
}
