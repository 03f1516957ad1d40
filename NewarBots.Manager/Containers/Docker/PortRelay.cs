using System.Buffers;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace NewarBots.Manager.Containers.Docker;

/// <summary>
/// Forwards connections of one listening socket to one loopback port until it is disposed. No caller can starve the others: an address gets
/// another connection only if more are free than it already has. Traffic to Redis is limited for each address (<see cref="RedisTraffic"/>).
/// </summary>
internal sealed partial class PortRelay(
    Socket listener, int port, ForwardedService service, IReadOnlyList<IPNetwork> served, TimeProvider time, ILogger logger) : IAsyncDisposable
{
    /// <summary>More connections wait in the listener's backlog.</summary>
    private const int MaxConnections = 1024;

    /// <summary>After a failed accept: the caller closed its connection early, or this process has no free handle.</summary>
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(100);

    /// <summary>A loopback server answers at once, unless it hangs and its backlog is full.</summary>
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _ended = new();
    private readonly SemaphoreSlim _free = new(MaxConnections);
    private readonly ConcurrentDictionary<IPAddress, int> _perAddress = new();

    /// <summary>Kept while the relay runs, so that reconnecting does not reset the limit. The bots' network has a limited number of addresses.</summary>
    private readonly ConcurrentDictionary<IPAddress, RedisTraffic> _redis = new();

    private readonly IPAddress _source = service is ForwardedService.Meeting ? IPortForwarding.BotSource : IPAddress.Loopback;
    private volatile IReadOnlyList<IPNetwork> _served = served;
    private Task _accepting = Task.CompletedTask;

    public void Start() => _accepting = AcceptAsync();

    /// <summary>Sets the networks whose callers are served. Other connections are closed at once.</summary>
    public void Serve(IReadOnlyList<IPNetwork> networks) => _served = networks;

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        listener.Dispose();
        await _accepting;
        // All slots are free once every connection is closed.
        for (var closed = 0; closed < MaxConnections; closed++)
            await _free.WaitAsync();
        _free.Dispose();
        _ended.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_ended.IsCancellationRequested)
        {
            var isReserved = false;
            try
            {
                await _free.WaitAsync(_ended.Token);
                isReserved = true;
                var caller = await listener.AcceptAsync(_ended.Token);
                isReserved = false;
                _ = ServeAsync(caller);
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException or OperationCanceledException)
            {
                if (isReserved)
                    _free.Release();
                if (!_ended.IsCancellationRequested)
                    await Task.Delay(RetryDelay, time, CancellationToken.None);
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
        catch (Exception exception) when (exception is SocketException or OperationCanceledException)
        {
            // One side is gone. Closing the socket notifies the other.
        }
        finally
        {
            _free.Release();
        }
    }

    private async Task ConnectAsync(Socket caller, IPAddress address)
    {
        var held = _perAddress.AddOrUpdate(address, 1, (_, before) => before + 1);
        try
        {
            // This connection has taken its slot already, hence + 1.
            if (held > _free.CurrentCount + 1)
                return;
            if (service is not ForwardedService.Redis)
                await ForwardAsync(caller, traffic: null, address);
            else if (held <= RedisTraffic.MaxConnections)
                await ForwardAsync(caller, _redis.GetOrAdd(address, _ => new(time)), address);
        }
        finally
        {
            if (_perAddress.AddOrUpdate(address, 0, (_, before) => before - 1) == 0)
                _perAddress.TryRemove(new(address, 0));
        }
    }

    private async Task ForwardAsync(Socket caller, RedisTraffic? traffic, IPAddress address)
    {
        if (traffic is not null)
            await traffic.ConnectAsync(_ended.Token);
        using var server = await ConnectToServerAsync();
        caller.NoDelay = server.NoDelay = true;
        caller.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, optionValue: true);
        using var connection = new RelayedConnection(caller, server, traffic, time, _ended.Token);
        await connection.RunAsync();
        if (connection.WasRejected && traffic!.ReportOnce())
            Log.Rejected(logger, address);
    }

    /// <summary>
    /// A server that listens on ::1 only is reached there. A meeting is not: over IPv6 its server could not recognize the source of bots.
    /// </summary>
    private async Task<Socket> ConnectToServerAsync()
    {
        using var timeout = new CancellationTokenSource(ConnectTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, _ended.Token);
        var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            server.Bind(new IPEndPoint(_source, 0));
            await server.ConnectAsync(IPAddress.Loopback, port, either.Token);
            return server;
        }
        catch (SocketException exception) when (exception.SocketErrorCode is SocketError.ConnectionRefused && _source.Equals(IPAddress.Loopback))
        {
            server.Dispose();
            var overIPv6 = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await overIPv6.ConnectAsync(IPAddress.IPv6Loopback, port, either.Token);
                return overIPv6;
            }
            catch
            {
                overIPv6.Dispose();
                throw;
            }
        }
        catch
        {
            server.Dispose();
            throw;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(
            LogLevel.Warning,
            "The bot at {Address} sent a command to Redis that no recorder sends, or did not read the answers. Its connections are closed whenever it does so")]
        public static partial void Rejected(ILogger logger, IPAddress address);
    }
}

/// <summary>
/// Copies bytes between two sockets in both directions. If one side closes its half, the other may continue until it is idle for a minute.
/// If one side fails, both end.
/// </summary>
internal sealed class RelayedConnection : IDisposable
{
    private const int BufferSize = 16 * 1024;

    private static readonly TimeSpan HalfClosedTimeout = TimeSpan.FromMinutes(1);

    private readonly Socket _caller;
    private readonly Socket _server;
    private readonly RedisTraffic? _traffic;
    private readonly RedisCommandCheck _commands = new();
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _ended;
    private readonly CancellationTokenRegistration _stopping;
    private volatile bool _isHalfClosed;

    /// <param name="caller">The bot.</param>
    /// <param name="server">The server that it reaches.</param>
    /// <param name="traffic">Limits the caller's commands to Redis; <see langword="null"/> for other servers.</param>
    /// <param name="time">Measures timeouts.</param>
    /// <param name="stopping">Ends the connection.</param>
    public RelayedConnection(Socket caller, Socket server, RedisTraffic? traffic, TimeProvider time, CancellationToken stopping)
    {
        _caller = caller;
        _server = server;
        _traffic = traffic;
        _time = time;
        _ended = new(Timeout.InfiniteTimeSpan, time);
        _stopping = stopping.Register(_ended.Cancel);
    }

    /// <summary>The connection was ended because of what the caller sent, or did not read.</summary>
    public bool WasRejected { get; private set; }

    /// <summary>Completes when both directions have ended. The caller closes the sockets.</summary>
    public Task RunAsync() => Task.WhenAll(PumpAsync(_caller, _server), PumpAsync(_server, _caller));

    public void Dispose()
    {
        _stopping.Dispose();
        _ended.Dispose();
    }

    private async Task PumpAsync(Socket from, Socket to)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            while (await from.ReceiveAsync(buffer, _ended.Token) is > 0 and var count)
            {
                if (_isHalfClosed)
                    _ended.CancelAfter(HalfClosedTimeout);
                if (_traffic is null)
                    await SendAsync(to, buffer.AsMemory(0, count), _ended.Token);
                else if (!await SendLimitedAsync(to, buffer.AsMemory(0, count), _traffic))
                    throw new OperationCanceledException();
            }
            to.Shutdown(SocketShutdown.Send);
            _isHalfClosed = true;
            _ended.CancelAfter(HalfClosedTimeout);
        }
        catch (Exception exception) when (exception is SocketException or OperationCanceledException)
        {
            await _ended.CancelAsync();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <returns>Whether the connection may continue.</returns>
    private async Task<bool> SendLimitedAsync(Socket to, ReadOnlyMemory<byte> bytes, RedisTraffic traffic)
    {
        if (to == _server)
        {
            if (!_commands.Accept(bytes.Span))
                return Reject();
            await traffic.SendAsync(bytes.Length, _ended.Token);
            await SendAsync(to, bytes, _ended.Token);
            return true;
        }

        using var timeout = new CancellationTokenSource(RedisTraffic.UnreadTimeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, _ended.Token);
        try
        {
            await SendAsync(to, bytes, either.Token);
            return true;
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested)
        {
            return Reject();
        }

        bool Reject()
        {
            WasRejected = true;
            return false;
        }
    }

    private static async Task SendAsync(Socket to, ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        while (!bytes.IsEmpty)
            bytes = bytes[await to.SendAsync(bytes, cancellation)..];
    }
}
