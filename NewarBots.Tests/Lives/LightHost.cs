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

    internal static async Task<LightHost> StartAsync(params (string Name, string Value)[] settings)
    {
        var host = new LightHost();
        await host.StartAllAsync(settings);
        return host;
    }

    public async ValueTask InitializeAsync() => await StartAllAsync([]);

    public async ValueTask DisposeAsync()
    {
        await Manager.DisposeAsync();
        await Redis.DisposeAsync();
    }

    internal string RecordingOf(string id, string user) => Path.Combine(Manager.Storage, "recordings", "final", $"user_{user}", $"{id}.ogg");

    internal string FolderOf(string id, string user) => Path.Combine(Manager.Storage, "recordings", "temp", $"user_{user}", id);

    /// <returns>How much the bot says it has recorded, once that is as much as asked for.</returns>
    internal async Task<double> RecordedAsync(string id, double seconds)
    {
        double recorded = 0;
        await Eventually.TrueAsync(
            async () => (recorded = (double?)(await Manager.GetAsync($"/bots/{id}")).Body?["recordedSeconds"] ?? 0) >= seconds, Patience);
        return recorded;
    }

    /// <summary>All that is known of an ended bot, for the failure message.</summary>
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

    private async Task StartAllAsync((string Name, string Value)[] settings)
    {
        Redis = await RedisServer.RunAsync(await DockerCli.BridgeAddressAsync());
        Manager = await ManagerProcess.StartAsync(Redis.Configuration, [("Launching__GenerateAudio", "true"), .. settings]);
    }
}
