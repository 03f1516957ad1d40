using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text;

namespace NewarBots.Tests.Fixtures;

/// <summary>
/// Stands between a manager and the engine's socket: an engine that stops answering, as one does whose machine swaps, and one that
/// is gone. The engine itself and everybody else's containers notice nothing.
/// </summary>
internal sealed class EngineProxy : IAsyncDisposable
{
    private readonly string _engine;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("newarbots-engine-");
    private readonly List<Socket> _connections = [];
    private readonly CancellationTokenSource _ended = new();
    private volatile TaskCompletionSource? _hangs;
    private Socket? _listener;

    /// <param name="engine">The socket behind it.</param>
    public EngineProxy(string engine = "/var/run/docker.sock")
    {
        _engine = engine;
        Return();
    }

    /// <summary>For <c>Launching:DockerHost</c>.</summary>
    public string Address => $"unix://{Path}";

    private string Path => System.IO.Path.Combine(_folder.FullName, "engine.sock");

    /// <summary>The first line of every request that came through: <c>GET /v1.41/version HTTP/1.1</c>.</summary>
    public ConcurrentQueue<string> Requests { get; } = [];

    /// <summary>From now on nothing is answered, on connections that there are and on new ones, until <see cref="Answer"/>.</summary>
    public void Hang() => _hangs ??= new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Answer() => Interlocked.Exchange(ref _hangs, null)?.SetResult();

    /// <summary>Every connection breaks, and no new one is taken, until <see cref="Return"/>.</summary>
    public void Leave()
    {
        _listener?.Dispose();
        File.Delete(Path);
        lock (_connections)
        {
            _connections.ForEach(connection => connection.Dispose());
            _connections.Clear();
        }
    }

    public void Return()
    {
        _listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        _listener.Bind(new UnixDomainSocketEndPoint(Path));
        _listener.Listen();
        _ = AcceptAsync(_listener);
    }

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        Answer();
        Leave();
        _folder.Delete(recursive: true);
        _ended.Dispose();
    }

    private async Task AcceptAsync(Socket listener)
    {
        try
        {
            while (true)
            {
                var caller = await listener.AcceptAsync();
                var engine = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                lock (_connections)
                    _connections.AddRange([caller, engine]);
                await engine.ConnectAsync(new UnixDomainSocketEndPoint(_engine));
                _ = PassOnAsync(caller, engine, Note);
                _ = PassOnAsync(engine, caller, _ => { });
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // It has left.
        }
    }

    /// <summary>A client writes a request's head at once.</summary>
    private void Note(ReadOnlySpan<byte> bytes)
    {
        var line = Encoding.Latin1.GetString(bytes[..Math.Max(0, bytes.IndexOf("\r\n"u8))]);
        if (line.EndsWith(" HTTP/1.1", StringComparison.Ordinal))
            Requests.Enqueue(line);
    }

    private async Task PassOnAsync(Socket from, Socket to, Action<ReadOnlySpan<byte>> note)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            int read;
            while ((read = await from.ReceiveAsync(buffer)) > 0)
            {
                note(buffer.AsSpan(0, read));
                if (_hangs is { } hangs)
                    await hangs.Task.WaitAsync(_ended.Token);
                await to.SendAsync(buffer.AsMemory(0, read));
            }

            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // Either side is gone.
        }
    }
}
