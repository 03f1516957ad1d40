using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using NewarBots.Contract;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Containers.Docker;
using NewarBots.Manager.Launching;
using NewarBots.Tests.Fixtures;
using StackExchange.Redis;

namespace NewarBots.Tests.Containers.Docker;

/// <summary>A compromised recorder reaches Redis through the manager's relay, which passes only what a recorder sends.</summary>
public sealed class RedisRelayTests : IAsyncLifetime
{
    private static readonly IPAddress Gateway = IPAddress.Parse("127.0.0.4");
    private static readonly TimeSpan ProbeInterval = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(8);

    private readonly SessionId _id = SessionId.New(TimeProvider.System);
    private readonly DirectoryInfo _storage = Directory.CreateTempSubdirectory("newarbots-relay-");
    private readonly LoopbackRelay _relay = new(new Network(), TimeProvider.System, NullLogger<LoopbackRelay>.Instance);
    private RedisServer _redis = null!;
    private ConnectionMultiplexer _manager = null!;
    private RecorderCredentials _user = null!;

    public async ValueTask InitializeAsync()
    {
        _redis = await RedisServer.RunAsync();
        _manager = await _redis.ConnectAsync();
        await _manager.GetServers()[0].ExecuteAsync("CONFIG", "SET", "requirepass", "of-the-manager");
        _user = await new RecorderAccess(_manager, new RecorderAccessKey(new StorageLayout(_storage.FullName)), NullLogger<RecorderAccess>.Instance).EnsureAsync(_id);
        await _relay.EnsureAsync(_redis.Port, ForwardedService.Redis, CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        await _relay.DisposeAsync();
        await _manager.DisposeAsync();
        await _redis.DisposeAsync();
        _storage.Delete(recursive: true);
    }

    [Fact]
    public async Task A_recorder_publishes_receives_commands_and_connects_again()
    {
        await using var recorder = await ConnectionMultiplexer.ConnectAsync(new ConfigurationOptions
        {
            EndPoints = { { Gateway, _redis.Port } },
            User = _user.User,
            Password = _user.Password,
            SetClientLibrary = false,
            TieBreaker = string.Empty,
            ConfigurationChannel = string.Empty,
            CommandMap = CommandMap.Create(["INFO", "CONFIG", "CLUSTER", "SENTINEL", "GET"], available: false),
        });
        var (status, command) = (RedisChannel.Literal(RedisNames.StatusChannel(_id)), RedisChannel.Literal(RedisNames.CommandChannel(_id)));
        var (published, commanded) = (new ConcurrentQueue<string>(), new ConcurrentQueue<string>());
        await _manager.GetSubscriber().SubscribeAsync(status, (_, message) => published.Enqueue(message!));
        await recorder.GetSubscriber().SubscribeAsync(command, (_, message) => commanded.Enqueue(message!));
        var longest = new string('é', StatusMessage.MaxDetailLength * 6);
        foreach (var _ in Enumerable.Range(0, 3))
        {
            published.Clear();
            commanded.Clear();
            await Eventually.TrueAsync(async () =>
            {
                try
                {
                    await recorder.GetSubscriber().PublishAsync(status, longest);
                    await _manager.GetSubscriber().PublishAsync(command, RedisNames.StopCommand);
                }
                catch (RedisException)
                {
                    // Not connected again yet.
                }

                return published.Contains(longest) && commanded.Contains(RedisNames.StopCommand);
            });

            await _manager.GetServers()[0].ExecuteAsync("CLIENT", "KILL", "USER", _user.User);
        }
    }

    [Theory]
    [InlineData("endless arguments")]
    [InlineData("long names")]
    [InlineData("unread answers")]
    [InlineData("own messages, unread")]
    [InlineData("messages as fast as possible")]
    [InlineData("connections in a loop")]
    public async Task Flooding_takes_hardly_any_time_of_Redis_and_less_than_a_megabyte(string attack)
    {
        var before = await UsedAsync();
        await _manager.GetServers()[0].ConfigResetStatisticsAsync();
        using var ended = new CancellationTokenSource(Duration);
        var attackers = Enumerable.Range(0, 8).Select(_ => Task.Run(() => AttackAsync(attack, ended.Token), CancellationToken.None)).ToList();
        var (slowest, memory) = (TimeSpan.Zero, 0L);
        using var timer = new PeriodicTimer(ProbeInterval, TimeProvider.System);
        while (!ended.IsCancellationRequested && await timer.WaitForNextTickAsync())
        {
            var took = await _manager.GetDatabase().PingAsync();
            slowest = took > slowest ? took : slowest;
            memory = Math.Max(memory, (await UsedAsync()).Bytes - before.Bytes);
        }

        await Task.WhenAll(attackers);
        var cpu = (await UsedAsync()).CpuSeconds - before.CpuSeconds;
        TestContext.Current.TestOutputHelper?.WriteLine($"{attack}: {cpu:0.00} s of CPU time in {Duration}, {memory} bytes, slowest call {slowest.TotalMilliseconds:0.0} ms");
        // The time that a call takes says little about Redis on a busy machine. Its CPU time is what the flood takes from other calls.
        Assert.InRange(cpu, 0, Duration.TotalSeconds / 10);
        Assert.InRange(memory, long.MinValue, 1_000_000);
        await CommandTimes.AssertShortAsync(_manager.GetServers()[0]);
    }

    private async Task AttackAsync(string attack, CancellationToken ended)
    {
        var channel = RedisNames.StatusChannel(_id);
        var (first, repeated) = attack switch
        {
            "endless arguments" => (Encoding.ASCII.GetBytes("*2000000000\r\n"), Repeat("$0\r\n\r\n"u8)),
            "long names" => ([], Command("CLIENT", "SETNAME", new string('x', 500_000))),
            "unread answers" => ([], Repeat(Command("ECHO", new string('x', 500)))),
            "own messages, unread" => (Command("SUBSCRIBE", channel), Repeat(Command("PUBLISH", channel, new string('x', 500)))),
            "connections in a loop" => (Command("PING"), []),
            _ => (Array.Empty<byte>(), Repeat(Command("PUBLISH", channel, new string('x', 500)))),
        };
        while (!ended.IsCancellationRequested)
        {
            try
            {
                using var client = new TcpClient();
                await client.ConnectAsync(Gateway, _redis.Port, ended);
                var stream = client.GetStream();
                await stream.WriteAsync(Command("HELLO", "3", "AUTH", _user.User, _user.Password), ended);
                await stream.WriteAsync(first, ended);
                while (repeated.Length > 0)
                    await stream.WriteAsync(repeated, ended);
                await stream.ReadExactlyAsync(new byte[1], ended);
            }
            catch (Exception exception) when (exception is IOException or SocketException or OperationCanceledException)
            {
                // The relay has closed the connection, or the test has ended.
            }
        }
    }

    /// <summary>Memory and CPU time of Redis.</summary>
    private async Task<(long Bytes, double CpuSeconds)> UsedAsync()
    {
        var server = _manager.GetServers()[0];
        var (memory, cpu) = ((await server.InfoAsync("memory"))[0], (await server.InfoAsync("cpu"))[0].ToDictionary(field => field.Key, field => field.Value));
        return (
            long.Parse(memory.Single(field => field.Key == "used_memory").Value, CultureInfo.InvariantCulture),
            double.Parse(cpu["used_cpu_user"], CultureInfo.InvariantCulture) + double.Parse(cpu["used_cpu_sys"], CultureInfo.InvariantCulture));
    }

    private static byte[] Repeat(ReadOnlySpan<byte> bytes)
    {
        using var all = new MemoryStream();
        while (all.Length < 50_000)
            all.Write(bytes);
        return all.ToArray();
    }

    private static byte[] Command(params string[] words) =>
        Encoding.ASCII.GetBytes($"*{words.Length}\r\n{string.Concat(words.Select(word => $"${word.Length}\r\n{word}\r\n"))}");

    private sealed record Network : IBotNetwork
    {
        public Task<(IPAddress? Gateway, IReadOnlyList<IPNetwork> Bots)> FindAsync(CancellationToken cancellation) =>
            Task.FromResult<(IPAddress?, IReadOnlyList<IPNetwork>)>((RedisRelayTests.Gateway, [IPNetwork.Parse("127.0.0.0/8")]));
    }
}

public sealed class RedisCommandCheckTests
{
    [Theory]
    [InlineData("*1\r\n$4\r\nPING\r\n", true)]
    [InlineData("*2\r\n$4\r\nECHO\r\n$0\r\n\r\n*1\r\n$4\r\nPING\r\n", true)]
    [InlineData("*16\r\n", true)]
    [InlineData("*17\r\n", false)]
    [InlineData("*0\r\n", false)]
    [InlineData("*-1\r\n", false)]
    [InlineData("*1000000\r\n", false)]
    [InlineData("*\r\n", false)]
    [InlineData("*1\n", false)]
    [InlineData("*2\r\n$65000\r\n", true)]
    [InlineData("*2\r\n$65537\r\n", false)]
    [InlineData("*2\r\n$-1\r\n", false)]
    [InlineData("*1\r\n*1\r\n", false)]
    [InlineData("PING\r\n", false)]
    [InlineData("\r\n", false)]
    public void Only_commands_of_few_arguments_and_bytes_pass_in_whatever_pieces_they_arrive(string sent, bool passes)
    {
        var bytes = Encoding.ASCII.GetBytes(sent);
        var (whole, pieces) = (new RedisCommandCheck(), new RedisCommandCheck());

        Assert.Equal(passes, whole.Accept(bytes));
        Assert.Equal(passes, bytes.All(next => pieces.Accept([next])));
    }

    [Fact]
    public void All_arguments_of_a_command_count_together()
    {
        var check = new RedisCommandCheck();
        var argument = Encoding.ASCII.GetBytes($"$40000\r\n{new string('x', 40_000)}\r\n");

        Assert.True(check.Accept("*1\r\n"u8));
        Assert.True(check.Accept(argument));
        Assert.True(check.Accept("*2\r\n"u8));
        Assert.True(check.Accept(argument));
        Assert.False(check.Accept(argument));
    }
}
