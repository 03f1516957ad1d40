using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text;

namespace NewarBots.Tests.Fixtures;

/// <summary>
/// A proxy between a manager and the Docker engine's socket, to simulate an engine that hangs (as on a swapping machine) or is down. The real
/// engine and other containers are not affected.
/// </summary>
internal sealed class EngineProxy : IAsyncDisposable
{
    private static readonly byte[] Failure = Encoding.Latin1.GetBytes(
        "HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\nContent-Length: 41\r\n\r\n{\"message\":\"RWLayer is unexpectedly nil\"}");

    private readonly string _engine;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("newarbots-engine-");
    private readonly List<Socket> _connections = [];
    private readonly CancellationTokenSource _ended = new();
    private volatile TaskCompletionSource? _hangs;
    private Socket? _listener;

    /// <param name="engine">The engine's socket.</param>
    public EngineProxy(string engine = "/var/run/docker.sock")
    {
        _engine = engine;
        Reconnect();
    }

    /// <summary>For <c>Launching:DockerHost</c>.</summary>
    public string Address => $"unix://{Path}";

    private string Path => System.IO.Path.Combine(_folder.FullName, "engine.sock");

    /// <summary>First line of every forwarded request, for example <c>GET /v1.41/version HTTP/1.1</c>.</summary>
    public ConcurrentQueue<string> Requests { get; } = [];

    /// <summary>Responds to requests whose first line contains this text with an internal error, as the engine does about a container that it has lost.</summary>
    public string? Fails { get; set; }

    /// <summary>Holds back all responses, on existing and new connections, until <see cref="Resume"/>.</summary>
    public void Hang() => _hangs ??= new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Resume() => Interlocked.Exchange(ref _hangs, null)?.SetResult();

    /// <summary>Closes all connections and accepts no new ones until <see cref="Reconnect"/>.</summary>
    public void Disconnect()
    {
        _listener?.Dispose();
        File.Delete(Path);
        lock (_connections)
        {
            _connections.ForEach(connection => connection.Dispose());
            _connections.Clear();
        }
    }

    public void Reconnect()
    {
        _listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        _listener.Bind(new UnixDomainSocketEndPoint(Path));
        _listener.Listen();
        _ = AcceptAsync(_listener);
    }

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        Resume();
        Disconnect();
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
                _ = ForwardAsync(caller, engine, Note);
                _ = ForwardAsync(engine, caller, _ => { });
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // The listener was closed.
        }
    }

    /// <summary>Clients send a request's headers in one write.</summary>
    private void Note(ReadOnlySpan<byte> bytes)
    {
        var line = Encoding.Latin1.GetString(bytes[..Math.Max(0, bytes.IndexOf("\r\n"u8))]);
        if (line.EndsWith(" HTTP/1.1", StringComparison.Ordinal))
            Requests.Enqueue(line);
    }

    private async Task ForwardAsync(Socket from, Socket to, Action<ReadOnlySpan<byte>> note)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            int read;
            while ((read = await from.ReceiveAsync(buffer)) > 0)
            {
                note(buffer.AsSpan(0, read));
                if (Fails is { } text && buffer.AsSpan(0, Math.Max(0, buffer.AsSpan(0, read).IndexOf("\r\n"u8))).IndexOf(Encoding.Latin1.GetBytes(text)) >= 0)
                {
                    await from.SendAsync(Failure);
                    continue;
                }

                if (_hangs is { } hangs)
                    await hangs.Task.WaitAsync(_ended.Token);
                await to.SendAsync(buffer.AsMemory(0, read));
            }

            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // One side closed its connection.
        }
    }
}
