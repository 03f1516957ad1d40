using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using StackExchange.Redis;

namespace NewarBots.Tests.Fixtures;

/// <summary>
/// A real <c>redis-server</c> of the test's own, on a free loopback port, with its files in a folder of its own. It can go away
/// (<see cref="Stop"/>) and come back (<see cref="StartAsync"/>) on the same port with its data. Use it as a class fixture or
/// with <see cref="RunAsync"/>.
/// </summary>
public sealed class RedisServer : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly string _folder = Directory.CreateTempSubdirectory("newarbots-redis-").FullName;
    private Process? _process;

    /// <summary>Addresses it listens on beside 127.0.0.1, for example the Docker bridge's, for tests that reach it from a container.</summary>
    public IReadOnlyList<string> AlsoBind { get; init; } = [];

    public int Port { get; private set; }

    /// <summary>StackExchange.Redis configuration: <c>127.0.0.1:port</c>.</summary>
    public string Configuration => $"127.0.0.1:{Port}";

    public static async Task<RedisServer> RunAsync(params string[] alsoBind)
    {
        var server = new RedisServer { AlsoBind = alsoBind };
        await server.StartAsync();
        return server;
    }

    /// <summary>Starts it and returns once it answers. The port is chosen at the first start.</summary>
    public async Task StartAsync()
    {
        if (Port == 0)
            Port = FreePort();
        var start = new ProcessStartInfo("redis-server") { RedirectStandardOutput = true, UseShellExecute = false };
        string[] arguments =
        [
            "--port", $"{Port}", "--bind", .. (string[])["127.0.0.1", .. AlsoBind], "--protected-mode", AlsoBind.Count > 0 ? "no" : "yes", "--dir", _folder,
            "--save", "", "--appendonly", "yes", "--appendfsync", "no",
        ];
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        _process = Process.Start(start) ?? throw new InvalidOperationException("redis-server did not start.");
        var output = _process.StandardOutput.ReadToEndAsync();
        var deadline = Stopwatch.StartNew();
        while (!await AnswersAsync())
        {
            if (_process.HasExited)
                throw new InvalidOperationException($"redis-server exited with {_process.ExitCode}: {await output}");
            if (deadline.Elapsed > Patience)
                throw new TimeoutException($"redis-server does not answer on port {Port}.");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        }
    }

    /// <summary>Kills it as a crash would; what it had answered stays in its append-only file.</summary>
    public void Stop()
    {
        if (_process is null)
            return;
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        _process = null;
    }

    /// <summary>A new connection, with everything allowed (<c>allowAdmin</c>) unless <paramref name="extra"/> says otherwise.</summary>
    /// <param name="extra">More configuration, for example <c>user=bot,password=secret</c>.</param>
    public async Task<ConnectionMultiplexer> ConnectAsync(string extra = "allowAdmin=true") =>
        await ConnectionMultiplexer.ConnectAsync($"{Configuration},abortConnect=false,{extra}");

    /// <summary>A connection that is allowed everything but to make and remove users.</summary>
    public async Task<ConnectionMultiplexer> ConnectAsManagerWithoutAclAsync()
    {
        await using (var admin = await ConnectAsync())
            await admin.GetServers()[0].ExecuteAsync("ACL", "SETUSER", "manager", "on", ">secret", "~*", "&*", "+@all", "-acl");
        return await ConnectAsync("allowAdmin=true,user=manager,password=secret");
    }

    async ValueTask IAsyncLifetime.InitializeAsync() => await StartAsync();

    public ValueTask DisposeAsync()
    {
        Stop();
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    private async Task<bool> AnswersAsync()
    {
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync(IPAddress.Loopback, Port);
            var stream = client.GetStream();
            await stream.WriteAsync("PING\r\n"u8.ToArray());
            var answer = new byte[7];
            await stream.ReadExactlyAsync(answer);
            return answer.AsSpan().SequenceEqual("+PONG\r\n"u8);
        }
        catch (Exception exception) when (exception is SocketException or IOException)
        {
            return false;
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
