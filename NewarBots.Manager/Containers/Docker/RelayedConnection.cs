using System.Buffers;
using System.Net.Sockets;

namespace NewarBots.Manager.Containers.Docker;

/// <summary>
/// Two sockets that hear each other's words. Where one side says its last, the other may go on until it falls silent; where one
/// breaks, both end.
/// </summary>
internal sealed class RelayedConnection : IDisposable
{
    private const int BufferSize = 16 * 1024;

    /// <summary>How long one side may stay silent once the other has nothing more to say.</summary>
    private static readonly TimeSpan HalfClosedPatience = TimeSpan.FromMinutes(1);

    private readonly Socket _caller;
    private readonly Socket _server;
    private readonly CancellationTokenSource _over;
    private readonly CancellationTokenRegistration _end;
    private volatile bool _halfClosed;

    public RelayedConnection(Socket caller, Socket server, TimeProvider time, CancellationToken end)
    {
        _caller = caller;
        _server = server;
        _over = new(Timeout.InfiniteTimeSpan, time);
        _end = end.Register(_over.Cancel);
    }

    /// <summary>Ends when both sides have; the sockets are the caller's to close.</summary>
    public Task RunAsync() => Task.WhenAll(PumpAsync(_caller, _server), PumpAsync(_server, _caller));

    public void Dispose()
    {
        _end.Dispose();
        _over.Dispose();
    }

    private async Task PumpAsync(Socket from, Socket to)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            while (await from.ReceiveAsync(buffer, _over.Token) is > 0 and var count)
            {
                if (_halfClosed)
                    _over.CancelAfter(HalfClosedPatience);
                for (var sent = 0; sent < count;)
                    sent += await to.SendAsync(buffer.AsMemory(sent, count - sent), _over.Token);
            }
            to.Shutdown(SocketShutdown.Send);
            _halfClosed = true;
            _over.CancelAfter(HalfClosedPatience);
        }
        catch (Exception exception) when (exception is SocketException or OperationCanceledException)
        {
            await _over.CancelAsync();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
