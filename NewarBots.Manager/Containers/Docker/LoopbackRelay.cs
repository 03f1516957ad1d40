using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace NewarBots.Manager.Containers.Docker;

/// <summary>
/// Lets bots reach what listens on this machine's loopback only: listens under the same port on the address that containers know
/// as <see cref="DockerContainerRequest.HostName"/>, and forwards to 127.0.0.1. It serves the bots' own network and nobody else.
/// </summary>
internal sealed partial class LoopbackRelay(IBotNetwork network, TimeProvider time, ILogger<LoopbackRelay> logger) : IAsyncDisposable
{
    private readonly ConcurrentDictionary<int, PortRelay> _relays = new();

    /// <summary>Ports at which somebody else listened: as likely as not another manager's relay, which ends with it.</summary>
    private readonly ConcurrentDictionary<int, IPAddress> _withAnother = new();

    /// <summary>
    /// Where connections to a meeting come from, as its server sees it: the manager, which serves the rehearsal, tells a bot from a
    /// local caller by it. Others are not to notice: Redis in its protected mode takes 127.0.0.1 alone for local.
    /// </summary>
    public static IPAddress Source { get; } = IPAddress.Parse("127.0.0.2");

    /// <summary>
    /// From now on, until the manager ends, bots reach 127.0.0.1:<paramref name="port"/> as host.docker.internal. Nothing happens
    /// where they do already, or where the engine's host is not this machine.
    /// </summary>
    /// <param name="port">The port, here and there.</param>
    /// <param name="source">The address of this machine that the server is to see.</param>
    /// <param name="cancellation">Ends the asking, not the relay.</param>
    /// <exception cref="ContainerEngineException">The engine cannot say where its containers are.</exception>
    public async Task EnsureAsync(int port, IPAddress source, CancellationToken cancellation)
    {
        var (gateway, bots) = await network.FindAsync(cancellation);
        if (gateway is null)
            return;

        if (_relays.TryGetValue(port, out var running))
        {
            running.Serve(bots);
            return;
        }
        if (Listen(new(gateway, port)) is not { } listener)
        {
            _withAnother[port] = source;
            return;
        }

        _withAnother.TryRemove(port, out _);
        var relay = new PortRelay(listener, port, source, bots, time);
        if (_relays.TryAdd(port, relay))
        {
            relay.Start();
            Log.Listening(logger, gateway, port);
        }
        else
        {
            await relay.DisposeAsync();
        }
    }

    /// <summary>
    /// Listens where somebody else did, as soon as nobody does any more; but only while there is somebody to forward to. A Redis that
    /// listened there itself and is away would not come back to a port that is taken.
    /// </summary>
    /// <exception cref="ContainerEngineException">The engine cannot say where its containers are.</exception>
    public async Task TakeOverAsync(CancellationToken cancellation)
    {
        foreach (var (port, source) in _withAnother)
        {
            if (await IsServedAsync(port, cancellation))
                await EnsureAsync(port, source, cancellation);
        }
    }

    private static async Task<bool> IsServedAsync(int port, CancellationToken cancellation)
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await probe.ConnectAsync(IPAddress.Loopback, port, cancellation);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var relay in _relays.Values)
            await relay.DisposeAsync();
        _relays.Clear();
    }

    /// <returns><see langword="null"/> where somebody listens there already: then bots reach that without us.</returns>
    private static Socket? Listen(IPEndPoint address)
    {
        var listener = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            listener.Bind(address);
            listener.Listen();
            return listener;
        }
        catch (SocketException exception) when (exception.SocketErrorCode is SocketError.AddressAlreadyInUse)
        {
            listener.Dispose();
            return null;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Bots reach 127.0.0.1:{Port} through {Gateway}.")]
        public static partial void Listening(ILogger logger, IPAddress gateway, int port);
    }
}

/// <summary>Where bots are, as this machine sees it.</summary>
internal interface IBotNetwork
{
    /// <returns>
    /// The address of this machine that containers know as <see cref="DockerContainerRequest.HostName"/>, <see langword="null"/> where
    /// the engine runs on another one; and the addresses that bots come from.
    /// </returns>
    Task<(IPAddress? Gateway, IReadOnlyList<IPNetwork> Bots)> FindAsync(CancellationToken cancellation);
}
