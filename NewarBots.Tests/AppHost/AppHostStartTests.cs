using System.Net;
using System.Net.Sockets;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.AppHost;

/// <summary>Starts that cannot succeed, and the messages on the console.</summary>
public sealed class AppHostStartTests
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task Invalid_settings_are_printed_as_one_line_each()
    {
        await using var host = new AppHostProcess(
            ("Redis__Port", "many"), ("Launching__MaxConcurrentBots", "0"), ("ASPNETCORE_URLS", "http://127.0.0.1:99999"));

        Assert.Equal(1, await host.ExitAsync(StartTimeout));

        Assert.Equal(
            [
                "Error: ASPNETCORE_URLS must be an http address with a port, for example http://127.0.0.1:8082 (it is 'http://127.0.0.1:99999').",
                "Error: Redis__Port must be a port, 1 to 65535 (it is 'many').",
                "Error: Launching__MaxConcurrentBots must be an integer, 1 or more (it is '0').",
            ],
            host.Output);
    }

    [Fact]
    public async Task A_taken_port_and_a_storage_folder_that_cannot_be_written_to_are_printed_as_one_line_each()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;
        await using var host = new AppHostProcess(("Dashboard__Url", $"http://localhost:{port}"), ("Storage__Path", "/proc/newarbots"));

        Assert.Equal(1, await host.ExitAsync(StartTimeout));

        Assert.Equal(2, host.Output.Count);
        Assert.Equal(
            $"Error: The dashboard needs port {port}, but another program uses it. Stop that program, or set Dashboard__Url to another address.",
            host.Output[0]);
        Assert.StartsWith("Error: Storage__Path must be a folder that this user can write to (it is '/proc/newarbots': ", host.Output[1], StringComparison.Ordinal);
    }

    /// <summary>An engine that never answers, as on a machine that swaps.</summary>
    [Fact]
    [Trait("Suite", "Long")]
    public async Task A_start_with_a_Docker_engine_that_never_answers_says_so_within_30_seconds_and_ends()
    {
        await using var engine = new EngineProxy();
        engine.Hang();
        await using var host = new AppHostProcess(("DOCKER_HOST", engine.Address), ("Start__Timeout", "00:00:40"));
        await host.LineAsync("Distributed application starting", StartTimeout);

        var waits = await host.LineAsync("Waiting for", TimeSpan.FromSeconds(30));

        Assert.Contains("redis-image (", waits, StringComparison.Ordinal);
        Assert.Contains("recorder-image (", waits, StringComparison.Ordinal);
        Assert.Contains("The Docker engine has not answered for 10 s", waits, StringComparison.Ordinal);
        Assert.Equal(1, await host.ExitAsync(TimeSpan.FromMinutes(3)));
        var failed = await host.LineAsync("The start failed: no progress for 00:00:40 while waiting for ", TimeSpan.FromSeconds(1));
        Assert.Contains("Repair this and start again", failed, StringComparison.Ordinal);
        Assert.DoesNotContain(host.Output, line => line.Contains("certificate", StringComparison.OrdinalIgnoreCase));
        Assert.DoesNotContain(host.Output, line => line.TrimStart().StartsWith("at ", StringComparison.Ordinal));
    }
}
