using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace NewarBots.Tests.Fixtures.Sfu;

/// <summary>
/// Forwards UDP between clients and servers, each server behind a port of its own, and treats the packets of both directions as a bad network
/// does: it drops, delays and thereby reorders them, or cuts the network.
/// </summary>
internal sealed class UdpForwarder(IPAddress listens) : IAsyncDisposable
{
    private readonly ConcurrentDictionary<IPEndPoint, Socket> _ports = new();
    private readonly ConcurrentBag<Socket> _sockets = [];
    private readonly CancellationTokenSource _end = new();
    private long _dropped;

    /// <summary>The share of packets to drop, from 0 to 1.</summary>
    public double Loss { get; set; }

    public TimeSpan Delay { get; set; }

    /// <summary>Each packet is delayed by up to this much more.</summary>
    public TimeSpan Jitter { get; set; }

    /// <summary>Nothing passes.</summary>
    public bool IsCut { get; set; }

    public long Dropped => Interlocked.Read(ref _dropped);

    /// <returns>The address that forwards to this server.</returns>
    public IPEndPoint PortOf(IPEndPoint server) => (IPEndPoint)_ports.GetOrAdd(server, Listen).LocalEndPoint!;

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        foreach (var socket in _sockets)
            socket.Dispose();
        _end.Dispose();
    }

    private Socket Listen(IPEndPoint server)
    {
        var socket = NewSocket();
        _ = ForwardAsync(socket, server);
        return socket;
    }

    private async Task ForwardAsync(Socket inbound, IPEndPoint server)
    {
        var outbound = new Dictionary<EndPoint, Socket>();
        await EachPacketAsync(inbound, (packet, client) =>
        {
            if (!outbound.TryGetValue(client, out var towards))
            {
                outbound[client] = towards = NewSocket();
                _ = EachPacketAsync(towards, (answer, sender) => Pass(answer, inbound, client));
            }

            Pass(packet, towards, server);
        });
    }

    private async Task EachPacketAsync(Socket socket, Action<byte[], EndPoint> act)
    {
        var buffer = new byte[2048];
        try
        {
            while (true)
            {
                var received = await socket.ReceiveFromAsync(buffer, SocketFlags.None, new IPEndPoint(IPAddress.Any, 0), _end.Token);
                act(buffer[..received.ReceivedBytes], received.RemoteEndPoint);
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or ObjectDisposedException or SocketException)
        {
            // The test has ended.
        }
    }

    private void Pass(byte[] packet, Socket from, EndPoint to) => _ = PassAsync(packet, from, to);

    private async Task PassAsync(byte[] packet, Socket from, EndPoint to)
    {
        if (IsCut || Random.Shared.NextDouble() < Loss)
        {
            Interlocked.Increment(ref _dropped);
            return;
        }

        try
        {
            if (Delay + Jitter > TimeSpan.Zero)
                await Task.Delay(Delay + Random.Shared.NextDouble() * Jitter, TimeProvider.System, _end.Token);
            await from.SendToAsync(packet, SocketFlags.None, to, _end.Token);
        }
        catch (Exception exception) when (exception is OperationCanceledException or ObjectDisposedException or SocketException)
        {
            // The test has ended.
        }
    }

    private Socket NewSocket()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(listens, 0));
        _sockets.Add(socket);
        return socket;
    }
}
