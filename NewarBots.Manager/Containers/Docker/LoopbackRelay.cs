using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace NewarBots.Manager.Containers.Docker;

/// <summary>
/// Listens on the address that containers know as <see cref="IPortForwarding.HostName"/> and forwards to the same port on 127.0.0.1. It
/// serves only callers on the bots' network.
/// </summary>
internal sealed partial class LoopbackRelay(IBotNetwork network, TimeProvider time, ILogger<LoopbackRelay> logger)
    : IPortForwarding, IAsyncDisposable
{
    private readonly ConcurrentDictionary<int, PortRelay> _relays = new();

    /// <summary>Ports that another process listens on, with what bots reach there. Usually the relay of another manager.</summary>
    private readonly ConcurrentDictionary<int, ForwardedService> _taken = new();

    public async Task EnsureAsync(int port, ForwardedService service, CancellationToken cancellation)
    {
        var (gateway, bots) = await network.FindAsync(cancellation);
        if (gateway is null)
            return;

        if (_relays.TryGetValue(port, out var running))
        {
            running.Serve(bots);
            // Two concurrent calls may have bound the port: the second one found it taken by the first.
            _taken.TryRemove(port, out _);
            return;
        }
        if (Listen(new(gateway, port)) is not { } listener)
        {
            _taken[port] = service;
            return;
        }

        _taken.TryRemove(port, out _);
        var relay = new PortRelay(listener, port, service, bots, time, logger);
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

    public async Task RetryTakenPortsAsync(CancellationToken cancellation)
    {
        foreach (var (port, service) in _taken)
        {
            // A Redis that listens on the gateway itself could not restart if the relay took its port while it is down.
            if (await IsServedAsync(port, cancellation))
                await EnsureAsync(port, service, cancellation);
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

    /// <returns><see langword="null"/> if the port is taken. Then bots already reach what listens there.</returns>
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
