using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using StackExchange.Redis;

namespace NewarBots.Tests.Fixtures;

/// <summary>
/// A real <c>redis-server</c> with its own loopback port and folder. It can be stopped (<see cref="Stop"/>) and restarted
/// (<see cref="StartAsync"/>) on the same port with its data. Use it as a class fixture or with <see cref="RunAsync"/>.
/// </summary>
public sealed class RedisServer : IAsyncLifetime
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);

    private readonly string _folder = Directory.CreateTempSubdirectory("newarbots-redis-").FullName;
    private Process? _process;

    /// <summary>Addresses to listen on in addition to 127.0.0.1, for example the Docker bridge's for containers.</summary>
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

    /// <summary>Starts the server and waits until it responds. The first start chooses the port.</summary>
    public async Task StartAsync()
    {
        if (Port == 0)
            Port = TestPort.Next();
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
            if (deadline.Elapsed > StartTimeout)
                throw new TimeoutException($"redis-server does not answer on port {Port}.");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        }
    }

    /// <summary>Kills the server like a crash. Acknowledged writes remain in its append-only file.</summary>
    public void Stop()
    {
        if (_process is null)
            return;
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        _process = null;
    }

    /// <summary>Opens a new connection, by default with admin commands (<c>allowAdmin</c>).</summary>
    /// <param name="extra">Additional configuration, for example <c>user=bot,password=secret</c>.</param>
    public async Task<ConnectionMultiplexer> ConnectAsync(string extra = "allowAdmin=true") =>
        await ConnectionMultiplexer.ConnectAsync($"{Configuration},abortConnect=false,{extra}");

    /// <summary>Opens a connection that may do everything except manage users.</summary>
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
}
