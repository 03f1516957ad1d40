using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Lives;

/// <summary>A manager with its own Redis, which bots reach on the bridge, and this machine's engine.</summary>
public sealed class RecordingHost : IAsyncLifetime
{
    internal RedisServer Redis { get; private set; } = null!;

    internal ManagerProcess Manager { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Redis = await RedisServer.RunAsync(await DockerCli.BridgeAddressAsync());
        Manager = await ManagerProcess.StartAsync(Redis.Configuration);
    }

    public async ValueTask DisposeAsync()
    {
        await Manager.DisposeAsync();
        await Redis.DisposeAsync();
    }
}
