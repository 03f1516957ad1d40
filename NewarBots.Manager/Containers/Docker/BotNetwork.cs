using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Docker.DotNet.Models;
using Microsoft.Extensions.Options;
using NewarBots.Manager.Hosting;

namespace NewarBots.Manager.Containers.Docker;

/// <summary>The network that the bots are on: a bridge of their own, on which no bot can reach another.</summary>
internal sealed partial class BotNetwork(
    DockerEngine engine, IOptions<LaunchingOptions> options, ILogger<BotNetwork> logger) : IBotNetwork, IDisposable
{
    private readonly SemaphoreSlim _oneAtATime = new(1);

    private string Name => options.Value.Network;

    public void Dispose() => _oneAtATime.Dispose();

    /// <summary>Makes it where it is missing.</summary>
    public async Task EnsureAsync(CancellationToken cancellation)
    {
        if (await ExistsAsync(cancellation))
            return;

        await _oneAtATime.WaitAsync(cancellation);
        try
        {
            if (!await ExistsAsync(cancellation))
                await MakeAsync(cancellation);
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    /// <summary>Whether the engine refused because there are two networks of one name.</summary>
    public static bool HasDouble(ContainerEngineException exception) =>
        exception.Failure is ContainerEngineFailure.Refused && exception.Message.Contains("is ambiguous", StringComparison.Ordinal);

    /// <summary>
    /// Old engines let two managers make two networks of one name at the same instant, and then start no container on either. The
    /// oldest stays; hardly anybody is on the others, and one that is used cannot be removed.
    /// </summary>
    public async Task RemoveDoublesAsync(CancellationToken cancellation)
    {
        var all = await FindAllAsync(Name, cancellation);
        foreach (var surplus in all.OrderBy(network => network.Created).ThenBy(network => network.ID, StringComparer.Ordinal).Skip(1))
        {
            try
            {
                await engine.AskAsync(
                    DockerEngine.Patience, (docker, token) => docker.Networks.DeleteNetworkAsync(surplus.ID, token), cancellation);
            }
            catch (ContainerEngineException exception) when (exception.Failure is ContainerEngineFailure.Refused)
            {
                Log.DoubleStays(logger, Name, exception.Message);
            }
        }
    }

    public async Task<(IPAddress? Gateway, IReadOnlyList<IPNetwork> Bots)> FindAsync(CancellationToken cancellation)
    {
        await EnsureAsync(cancellation);
        var bots = await FindAllAsync(Name, cancellation);
        var gateway = (await FindAllAsync("bridge", cancellation)).Select(GatewayOf).FirstOrDefault(address => address is not null);
        return (gateway, [.. bots.SelectMany(SubnetsOf)]);
    }

    /// <summary>
    /// The engine's <c>host-gateway</c>, on whatever network a container is: the address of the default bridge's interface.
    /// </summary>
    private static IPAddress? GatewayOf(NetworkResponse defaultBridge) =>
        defaultBridge.Options is { } options && options.TryGetValue("com.docker.network.bridge.name", out var name)
            ? NetworkInterface.GetAllNetworkInterfaces()
                .Where(candidate => candidate.Name == name)
                .SelectMany(candidate => candidate.GetIPProperties().UnicastAddresses)
                .Select(unicast => unicast.Address)
                .FirstOrDefault(address => address.AddressFamily is AddressFamily.InterNetwork)
            : null;

    private static IEnumerable<IPNetwork> SubnetsOf(NetworkResponse network)
    {
        foreach (var config in network.IPAM?.Config ?? [])
        {
            if (IPNetwork.TryParse(config.Subnet, out var subnet))
                yield return subnet;
        }
    }

    private async Task<bool> ExistsAsync(CancellationToken cancellation) => (await FindAllAsync(Name, cancellation)).Count > 0;

    private async Task MakeAsync(CancellationToken cancellation)
    {
        try
        {
            await engine.AskAsync(
                DockerEngine.LongPatience,
                (docker, token) => docker.Networks.CreateNetworkAsync(
                    new()
                    {
                        Name = Name,
                        Driver = "bridge",
                        CheckDuplicate = true,
                        Options = new Dictionary<string, string> { ["com.docker.network.bridge.enable_icc"] = "false" },
                    },
                    token),
                cancellation);
            Log.Made(logger, Name);
        }
        catch (ContainerEngineException) when (!cancellation.IsCancellationRequested)
        {
            // Another manager was quicker.
            if (!await ExistsAsync(cancellation))
                throw;
        }
        await RemoveDoublesAsync(cancellation);
    }

    private Task<IReadOnlyList<NetworkResponse>> FindAllAsync(string name, CancellationToken cancellation) =>
        engine.AskAsync<IReadOnlyList<NetworkResponse>>(
            async (docker, token) =>
            {
                // The engine's filter also finds names that only contain this one.
                var similar = await docker.Networks.ListNetworksAsync(
                    new()
                    {
                        Filters = new Dictionary<string, IDictionary<string, bool>>
                        {
                            ["name"] = new Dictionary<string, bool> { [name] = true },
                        },
                    },
                    token);
                return [.. similar.Where(network => network.Name == name)];
            },
            cancellation);

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Made the Docker network {Network} for the bots.")]
        public static partial void Made(ILogger logger, string network);

        [LoggerMessage(LogLevel.Debug, "A second network named {Network} was not removed: {Reason}")]
        public static partial void DoubleStays(ILogger logger, string network, string reason);
    }
}
