using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using NewarBots.Manager.Hosting;

namespace NewarBots.Manager.Containers.Docker;

/// <summary>
/// Forwards the connections of one listening socket to one port of the loopback, until it is disposed. Nobody can keep the others out: a
/// caller gets one more connection only while more are left than it has, so that there is always room for who has none.
/// </summary>
internal sealed class PortRelay(
    Socket listener, int port, IPAddress source, IReadOnlyList<IPNetwork> served, TimeProvider time) : IAsyncDisposable
{
    /// <summary>Further ones wait in the listener's backlog.</summary>
    private const int MaxConnections = 1024;

    /// <summary>When accepting fails: the caller gave up before its turn, or this process has no handle left.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly CancellationTokenSource _ended = new();
    private readonly SemaphoreSlim _places = new(MaxConnections);
    private readonly ConcurrentDictionary<IPAddress, int> _held = new();
    private volatile IReadOnlyList<IPNetwork> _served = served;
    private Task _accepting = Task.CompletedTask;

    public void Start() => _accepting = AcceptAsync();

    /// <summary>Whoever comes from elsewhere is hung up on.</summary>
    public void Serve(IReadOnlyList<IPNetwork> networks) => _served = networks;

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        listener.Dispose();
        await _accepting;
        // Whoever has all places is alone.
        for (var place = 0; place < MaxConnections; place++)
            await _places.WaitAsync();
        _places.Dispose();
        _ended.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_ended.IsCancellationRequested)
        {
            var hasPlace = false;
            try
            {
                await _places.WaitAsync(_ended.Token);
                hasPlace = true;
                var caller = await listener.AcceptAsync(_ended.Token);
                hasPlace = false;
                _ = ServeAsync(caller);
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException or OperationCanceledException)
            {
                if (hasPlace)
                    _places.Release();
                if (!_ended.IsCancellationRequested)
                    await Task.Delay(Pause, time, CancellationToken.None);
            }
        }
    }

    private async Task ServeAsync(Socket caller)
    {
        try
        {
            using (caller)
            {
                if (caller.RemoteEndPoint is IPEndPoint { Address: var address } && _served.Any(network => network.Contains(address)))
                    await ConnectAsync(caller, address);
            }
        }
        catch (SocketException)
        {
            // Either side is gone; the other learns it by its closed connection.
        }
        finally
        {
            _places.Release();
        }
    }

    private async Task ConnectAsync(Socket caller, IPAddress address)
    {
        var held = _held.AddOrUpdate(address, 1, (_, before) => before + 1);
        try
        {
            // Its own place is taken already.
            if (held <= _places.CurrentCount + 1)
                await ForwardAsync(caller);
        }
        finally
        {
            if (_held.AddOrUpdate(address, 0, (_, before) => before - 1) == 0)
                _held.TryRemove(new(address, 0));
        }
    }

    private async Task ForwardAsync(Socket caller)
    {
        using var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        server.Bind(new IPEndPoint(source, 0));
        await server.ConnectAsync(IPAddress.Loopback, port, CancellationToken.None);
        caller.NoDelay = server.NoDelay = true;
        caller.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, optionValue: true);
        using var connection = new RelayedConnection(caller, server, time, _ended.Token);
        await connection.RunAsync();
    }
}
