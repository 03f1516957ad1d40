using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Docker.DotNet.Models;
using Microsoft.Extensions.Options;

namespace NewarBots.Manager.Containers.Docker;

/// <summary>The bots' own bridge network, on which no bot can reach another.</summary>
internal sealed partial class BotNetwork(
    DockerEngine engine, IOptions<LaunchingOptions> options, ILogger<BotNetwork> logger) : IBotNetwork, IDisposable
{
    private readonly SemaphoreSlim _oneAtATime = new(1);

    private string Name => options.Value.Network;

    public void Dispose() => _oneAtATime.Dispose();

    /// <summary>Creates the network if it does not exist.</summary>
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

    /// <summary>Whether the engine refused because two networks have the same name.</summary>
    public static bool IsAmbiguous(ContainerEngineException exception) =>
        exception.Failure is ContainerEngineFailure.Refused && exception.Message.Contains("is ambiguous", StringComparison.Ordinal);

    /// <summary>
    /// Old engines let two managers create two networks of the same name at once, and then start no container on either. Keeps the oldest
    /// and removes the others, unless a container uses them.
    /// </summary>
    public async Task RemoveDoublesAsync(CancellationToken cancellation)
    {
        var all = await FindAllAsync(Name, cancellation);
        foreach (var surplus in all.OrderBy(network => network.Created).ThenBy(network => network.ID, StringComparer.Ordinal).Skip(1))
        {
            try
            {
                await engine.CallAsync(
                    DockerEngine.ShortTimeout, (docker, token) => docker.Networks.DeleteNetworkAsync(surplus.ID, token), cancellation);
            }
            catch (ContainerEngineException exception) when (exception.Failure is ContainerEngineFailure.Refused)
            {
                Log.DuplicateKept(logger, Name, exception.Message);
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
    /// The engine's <c>host-gateway</c> for containers on any network: the address of the default bridge's interface.
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
            await engine.CallAsync(
                DockerEngine.LongTimeout,
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
            Log.Created(logger, Name);
        }
        catch (ContainerEngineException) when (!cancellation.IsCancellationRequested)
        {
            // Another manager may have created it first.
            if (!await ExistsAsync(cancellation))
                throw;
        }
        await RemoveDoublesAsync(cancellation);
    }

    private Task<IReadOnlyList<NetworkResponse>> FindAllAsync(string name, CancellationToken cancellation) =>
        engine.CallAsync<IReadOnlyList<NetworkResponse>>(
            async (docker, token) =>
            {
                // The engine's filter also matches names that only contain this one.
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
        [LoggerMessage(LogLevel.Information, "Created the Docker network {Network} for the bots.")]
        public static partial void Created(ILogger logger, string network);

        [LoggerMessage(LogLevel.Debug, "Kept a second network named {Network}, which could not be removed: {Reason}")]
        public static partial void DuplicateKept(ILogger logger, string network, string reason);
    }
}

/// <summary>The bots' addresses, as seen from this machine.</summary>
internal interface IBotNetwork
{
    /// <returns>
    /// This machine's address that containers know as <see cref="IPortForwarding.HostName"/>, <see langword="null"/> if the engine runs on
    /// another machine; and the subnets that bots connect from.
    /// </returns>
    Task<(IPAddress? Gateway, IReadOnlyList<IPNetwork> Bots)> FindAsync(CancellationToken cancellation);
}
