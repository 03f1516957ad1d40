using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Containers.Docker;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Containers.Docker;

public sealed class LoopbackRelayTests(ScriptedRecorders recorders) : IClassFixture<ScriptedRecorders>, IDisposable
{
    private static readonly IPAddress Gateway = IPAddress.Parse("127.0.0.3");

    private readonly CancellationTokenSource _deadline = new(TimeSpan.FromMinutes(3));
    private readonly TcpListener _server = new(IPAddress.Loopback, 0);

    private int Port => ((IPEndPoint)_server.LocalEndpoint).Port;

    public void Dispose()
    {
        _server.Dispose();
        _deadline.Dispose();
    }

    [Fact]
    public async Task A_bot_reaches_a_server_on_this_machines_loopback()
    {
        var services = recorders.Services();
        var (gateway, _) = await services.GetRequiredService<IBotNetwork>().FindAsync(_deadline.Token);
        Assert.SkipWhen(gateway is null, "The engine's default bridge is not on this machine.");
        _server.Start();
        await using var relay = services.GetRequiredService<LoopbackRelay>();
        await relay.EnsureAsync(Port, ForwardedService.Meeting, _deadline.Token);
        var serving = Task.Run(async () =>
        {
            using var connection = await _server.AcceptTcpClientAsync(_deadline.Token);
            await connection.GetStream().WriteAsync("hello from the host\n"u8.ToArray(), _deadline.Token);
        });

        var seen = await recorders.Run($"exec 3<>/dev/tcp/host.docker.internal/{Port} && cat <&3");

        Assert.Equal("hello from the host\n", seen);
        await serving;
    }

    [Fact]
    public async Task A_server_can_distinguish_a_forwarded_connection_from_a_local_one()
    {
        _server.Start();
        await using var relay = await RelayAsync();

        using var caller = await CallAsync();
        using var relayed = await _server.AcceptTcpClientAsync(_deadline.Token);
        using var direct = new TcpClient();
        await direct.ConnectAsync(IPAddress.Loopback, Port, _deadline.Token);
        using var local = await _server.AcceptTcpClientAsync(_deadline.Token);

        Assert.True(Request(relayed).IsForwarded());
        Assert.False(Request(local).IsForwarded());
    }

    [Theory]
    [InlineData(false, "hello")]
    [InlineData(true, "")]
    public async Task A_server_that_listens_on_IPv6_only_is_reached_unless_it_must_recognize_bots(bool isMeeting, string answer)
    {
        using var server = new TcpListener(IPAddress.IPv6Loopback, 0);
        server.Start();
        var port = ((IPEndPoint)server.LocalEndpoint).Port;
        await using var relay = new LoopbackRelay(new Network(Gateway), TimeProvider.System, NullLogger<LoopbackRelay>.Instance);
        await relay.EnsureAsync(port, isMeeting ? ForwardedService.Meeting : ForwardedService.Other, _deadline.Token);

        using var caller = new TcpClient();
        await caller.ConnectAsync(Gateway, port, _deadline.Token);
        if (!isMeeting)
        {
            using var connection = await server.AcceptTcpClientAsync(_deadline.Token);
            await connection.GetStream().WriteAsync("hello"u8.ToArray(), _deadline.Token);
        }

        Assert.Equal(answer, Encoding.UTF8.GetString(await ReadToEndAsync(caller.GetStream())));
        Assert.False(server.Pending());
    }

    [Fact]
    public async Task A_server_whose_backlog_is_full_does_not_delay_the_end_of_the_relay()
    {
        _server.Start(backlog: 0);
        // The kernel drops further attempts without an answer, and would retry for two minutes.
        var waiting = Enumerable.Range(0, 4).Select(_ => new TcpClient()).ToList();
        try
        {
            foreach (var client in waiting)
                _ = client.ConnectAsync(IPAddress.Loopback, Port, _deadline.Token).AsTask().ContinueWith(_ => { }, TaskScheduler.Default);
            var relay = await RelayAsync();
            using var caller = await CallAsync();
            await Eventually.TrueAsync(IsConnecting);

            await relay.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System);
        }
        finally
        {
            waiting.ForEach(client => client.Dispose());
        }

        // The relay's attempt, which the kernel lists as SYN_SENT (02) with the source address of bots.
        bool IsConnecting() => File.ReadLines("/proc/net/tcp").Any(line =>
            line.Contains($" {Hex(IPortForwarding.BotSource)}:", StringComparison.Ordinal) && line.Contains($" {Hex(IPAddress.Loopback)}:{Port:X4} 02 ", StringComparison.Ordinal));

        static string Hex(IPAddress address) => Convert.ToHexString([.. address.GetAddressBytes().Reverse()]);
    }

    [Fact]
    public async Task A_half_closed_connection_still_delivers_the_response()
    {
        _server.Start();
        await using var relay = await RelayAsync();
        var question = new byte[300_000];
        Random.Shared.NextBytes(question);

        using var caller = await CallAsync();
        await using var asked = caller.GetStream();
        var asking = Task.Run(async () =>
        {
            await asked.WriteAsync(question, _deadline.Token);
            caller.Client.Shutdown(SocketShutdown.Send);
        });
        using var server = await _server.AcceptTcpClientAsync(_deadline.Token);
        var heard = await ReadToEndAsync(server.GetStream());
        await server.GetStream().WriteAsync("answer"u8.ToArray(), _deadline.Token);
        server.Client.Shutdown(SocketShutdown.Send);

        Assert.Equal(question, heard);
        Assert.Equal("answer", Encoding.UTF8.GetString(await ReadToEndAsync(asked)));
        await asking;
    }

    [Fact]
    public async Task A_connection_from_outside_the_bots_network_is_closed()
    {
        _server.Start();
        await using var relay = await RelayAsync(new Network(Gateway, IPNetwork.Parse("10.99.0.0/16")));

        using var caller = await CallAsync();

        Assert.Empty(await ReadToEndAsync(caller.GetStream()));
        Assert.False(_server.Pending());
    }

    [Fact]
    public async Task A_connection_is_closed_if_no_server_listens()
    {
        _server.Start();
        await using var relay = await RelayAsync();
        var port = Port;
        _server.Stop();

        using var caller = new TcpClient();
        await caller.ConnectAsync(Gateway, port, _deadline.Token);

        Assert.Empty(await ReadToEndAsync(caller.GetStream()));
    }

    [Fact]
    public async Task A_greedy_caller_cannot_use_up_the_connections_of_others()
    {
        _server.Start(2_000);
        await using var relay = await RelayAsync();
        var (greedy, served) = (new List<TcpClient>(), new List<TcpClient>());
        try
        {
            bool isServed;
            do
            {
                var caller = await CallAsync();
                greedy.Add(caller);
                isServed = await IsServedAsync(caller);
            }
            while (isServed && greedy.Count < 1_024);
            Assert.Equal(513, greedy.Count);

            using var another = new TcpClient(new IPEndPoint(IPAddress.Parse("127.0.0.9"), 0));
            await another.ConnectAsync(Gateway, Port, _deadline.Token);
            Assert.True(await IsServedAsync(another));

            greedy[0].Dispose();
            served[0].Dispose();
            await Eventually.TrueAsync(
                async () =>
                {
                    var again = await CallAsync();
                    greedy.Add(again);
                    return await IsServedAsync(again);
                },
                TimeSpan.FromSeconds(60));
        }
        finally
        {
            foreach (var connection in greedy.Concat(served))
                connection.Dispose();
        }

        // Either the server accepts the connection, or the relay closes it.
        async Task<bool> IsServedAsync(TcpClient caller)
        {
            var accepted = _server.AcceptTcpClientAsync(_deadline.Token).AsTask();
            var closed = caller.GetStream().ReadAsync(new byte[1], _deadline.Token).AsTask();
            if (await Task.WhenAny(accepted, closed) == accepted)
            {
                served.Add(await accepted);
                return true;
            }

            // Completes the pending accept, which would otherwise take the next caller's connection.
            using var filler = new TcpClient();
            await filler.ConnectAsync(IPAddress.Loopback, Port, _deadline.Token);
            (await accepted).Dispose();
            return false;
        }
    }

    [Fact]
    public async Task A_port_that_another_process_serves_is_left_to_it()
    {
        using var everywhere = new TcpListener(IPAddress.Any, 0);
        everywhere.Start();
        var port = ((IPEndPoint)everywhere.LocalEndpoint).Port;
        await using var relay = new LoopbackRelay(new Network(Gateway), TimeProvider.System, NullLogger<LoopbackRelay>.Instance);

        await relay.EnsureAsync(port, ForwardedService.Meeting, _deadline.Token);

        using var caller = new TcpClient();
        await caller.ConnectAsync(Gateway, port, _deadline.Token);
        Assert.True(everywhere.Pending());
    }

    [Fact]
    public async Task A_port_that_is_requested_many_times_at_once_is_forwarded_once_until_the_manager_ends()
    {
        _server.Start();
        var relay = new LoopbackRelay(new Network(Gateway), TimeProvider.System, NullLogger<LoopbackRelay>.Instance);
        await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => Task.Run(() => relay.EnsureAsync(Port, ForwardedService.Meeting, _deadline.Token))));
        using var caller = await CallAsync();
        using var server = await _server.AcceptTcpClientAsync(_deadline.Token);

        await relay.DisposeAsync();

        Assert.Empty(await ReadToEndAsync(caller.GetStream()));
        await Assert.ThrowsAsync<SocketException>(CallAsync);
    }

    [Fact]
    public async Task Nothing_is_forwarded_if_the_engine_is_on_another_machine()
    {
        _server.Start();
        await using var relay = await RelayAsync(new Network(Gateway: null));

        await Assert.ThrowsAsync<SocketException>(CallAsync);
    }

    [Fact]
    public async Task A_server_that_listens_on_the_bridge_itself_can_restart_on_its_port()
    {
        _server.Start();
        var port = Port;
        using var itself = new TcpListener(Gateway, port);
        itself.Start();
        await using var relay = await RelayAsync();
        itself.Stop();
        _server.Stop();

        await relay.RetryTakenPortsAsync(_deadline.Token);
        using (var back = new TcpListener(Gateway, port))
            back.Start();

        using var alone = new TcpListener(IPAddress.Loopback, port);
        alone.Start();
        await relay.RetryTakenPortsAsync(_deadline.Token);
        using var caller = new TcpClient();
        await caller.ConnectAsync(Gateway, port, _deadline.Token);
    }

    private async Task<LoopbackRelay> RelayAsync(Network? network = null)
    {
        var relay = new LoopbackRelay(network ?? new Network(Gateway), TimeProvider.System, NullLogger<LoopbackRelay>.Instance);
        await relay.EnsureAsync(Port, ForwardedService.Meeting, _deadline.Token);
        return relay;
    }

    private async Task<TcpClient> CallAsync()
    {
        var caller = new TcpClient();
        await caller.ConnectAsync(Gateway, Port, _deadline.Token);
        return caller;
    }

    private async Task<byte[]> ReadToEndAsync(NetworkStream connection)
    {
        using var all = new MemoryStream();
        try
        {
            await connection.CopyToAsync(all, _deadline.Token);
        }
        catch (IOException)
        {
            // The connection was reset.
        }
        return all.ToArray();
    }

    private static DefaultHttpContext Request(TcpClient connection) =>
        new() { Connection = { RemoteIpAddress = ((IPEndPoint)connection.Client.RemoteEndPoint!).Address } };

    private sealed record Network(IPAddress? Gateway, params IReadOnlyList<IPNetwork> Bots) : IBotNetwork
    {
        public Task<(IPAddress? Gateway, IReadOnlyList<IPNetwork> Bots)> FindAsync(CancellationToken cancellation) =>
            Task.FromResult((Gateway, Bots.Count == 0 ? [IPNetwork.Parse("127.0.0.0/8")] : Bots));
    }
}
