using System.Net;
using System.Net.Sockets;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.AppHost;

/// <summary>Starts that cannot succeed, and the messages on the console.</summary>
public sealed class AppHostStartTests
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromMinutes(3);

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
    public async Task Taken_ports_and_a_storage_folder_that_cannot_be_written_to_are_printed_as_one_line_each()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;
        await using var host = new AppHostProcess(
            ("Dashboard__Url", $"http://localhost:{port}"), ("Redis__Port", $"{port}"), ("Storage__Path", "/proc/newarbots"));

        Assert.Equal(1, await host.ExitAsync(StartTimeout));

        Assert.Equal(
            [
                $"Error: The dashboard needs port {port}, but another program uses it. Stop that program, or set another port with Dashboard__Url.",
                $"Error: Redis needs port {port}, but another program uses it. Stop that program, or set another port with Redis__Port.",
            ],
            host.Output.Take(2));
        Assert.StartsWith("Error: Storage__Path must be a folder that this user can write to (it is '/proc/newarbots': ", Assert.Single(host.Output.Skip(2)), StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Suite", "Long")]
    public async Task A_start_without_a_Docker_engine_says_so_for_each_image_and_ends()
    {
        await using var host = new AppHostProcess(("DOCKER_HOST", "unix:///nowhere/docker.sock"), ("Start__Timeout", "00:01:30"));

        await host.LineAsync("redis-image failed (exit code 1)", StartTimeout);
        await host.LineAsync("recorder-image failed (exit code 1)", StartTimeout);
        // The end of both logs.
        await Eventually.TrueAsync(
            () => host.Output.Count(line => line.Contains("Error: The Docker engine is unreachable", StringComparison.Ordinal)
                && line.TrimStart().StartsWith("| ", StringComparison.Ordinal)) == 2,
            StartTimeout);
        var waits = await host.LineAsync("Waiting for", StartTimeout);
        Assert.Contains("The Docker engine is unreachable: ", waits, StringComparison.Ordinal);
        Assert.Contains("unix:///nowhere/docker.sock", waits, StringComparison.Ordinal);
        Assert.Equal(1, await host.ExitAsync(TimeSpan.FromMinutes(4)));
        await host.LineAsync("The start failed: no progress for 00:01:30 while waiting for ", TimeSpan.FromSeconds(1));
    }

    [Fact]
    [Trait("Suite", "Long")]
    public async Task Without_FFmpeg_the_manager_is_reported_as_unhealthy_with_the_reason()
    {
        await using var redis = await RedisServer.RunAsync();
        var programs = Directory.CreateTempSubdirectory("newarbots-path-");
        try
        {
            var all = Environment.GetEnvironmentVariable("PATH")!.Split(':').Where(Directory.Exists)
                .SelectMany(folder => Directory.EnumerateFiles(folder)).DistinctBy(file => Path.GetFileName(file));
            foreach (var program in all.Where(file => Path.GetFileName(file) is not "ffmpeg"))
                File.CreateSymbolicLink(Path.Combine(programs.FullName, Path.GetFileName(program)), program);
            await using var host = new AppHostProcess(("PATH", programs.FullName), ("ConnectionStrings__redis", redis.Configuration));

            Assert.Contains("ffmpeg", await host.LineAsync("manager is unhealthy: ffmpeg: ", TimeSpan.FromMinutes(3)), StringComparison.Ordinal);
            Assert.True(host.IsRunning);
        }
        finally
        {
            programs.Delete(recursive: true);
        }
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
