using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using NewarBots.Manager.Bots;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Hosting;

/// <summary>The manager is started with settings that prevent the start. Redis is never reached.</summary>
public sealed class StartFailureTests
{
    private const int BrokenRedisPort = 1;

    [Theory]
    [InlineData("Launching__MaxConcurrentBots", "many", "Launching:MaxConcurrentBots must be an integer (it is 'many').")]
    [InlineData("Storage__MinimumFreeMegabytes", "1.5", "Storage:MinimumFreeMegabytes must be an integer (it is '1.5').")]
    [InlineData("Finalizing__FFmpegTimeout", "soon", "Finalizing:FFmpegTimeout must be a duration as hours:minutes:seconds, for example 00:05:00 (it is 'soon').")]
    [InlineData("Launching__Network", "host", "Launching:Network must name a network for the bots, never the host's (it is 'host').")]
    [InlineData("Access__RequestsPerMinute", "0", "Access:RequestsPerMinute must be 1 or more (it is 0).")]
    [InlineData("Storage__Group", "nobody-here", "Storage:Group: nobody-here is not a group in /etc/group. Use its number if it comes from a directory service.")]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT", "nonsense", "OTEL_EXPORTER_OTLP_ENDPOINT is 'nonsense' and must be an http or https address, for example http://localhost:4317.")]
    [InlineData("Telemetry__Dashboard", "nonsense", "Telemetry:Dashboard is 'nonsense' and must be the dashboard's http or https address, for example http://localhost:18888.")]
    [InlineData("ConnectionStrings__redis", "", "Set ConnectionStrings:redis to the address of Redis, for example 127.0.0.1:6379.")]
    [InlineData("ASPNETCORE_URLS", "8082", "ASPNETCORE_URLS must be addresses separated by ';', for example http://127.0.0.1:8082 (one of them is '8082').")]
    [InlineData("ASPNETCORE_URLS", "http://127.0.0.1:99999", "ASPNETCORE_URLS must be addresses separated by ';', for example http://127.0.0.1:8082 (one of them is 'http://127.0.0.1:99999').")]
    [InlineData("ASPNETCORE_URLS", "http://127.0.0.1:port", "ASPNETCORE_URLS must be addresses separated by ';', for example http://127.0.0.1:8082 (one of them is 'http://127.0.0.1:port').")]
    public async Task An_invalid_setting_is_printed_as_one_line_with_its_name_and_value(string name, string value, string line)
    {
        Assert.Equal((1, $"Error: {line}"), await StartAsync((name, value)));
    }

    [Fact]
    public async Task Several_invalid_settings_are_printed_together()
    {
        var (code, output) = await StartAsync(("Access__RequestsPerMinute", "0"), ("Launching__Image", " "), ("Webhooks__MaxMegabytesPerUser", "0"));

        Assert.Equal(1, code);
        Assert.All(output.Split('\n'), line => Assert.StartsWith("Error: ", line, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_taken_port_is_printed_as_one_line_without_a_stack_trace()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var url = $"http://127.0.0.1:{((IPEndPoint)other.LocalEndpoint).Port}";

        var (code, output) = await StartAsync(("ASPNETCORE_URLS", url));

        Assert.Equal(1, code);
        Assert.Contains(
            $"Error: Failed to bind to address {url}: address already in use. Stop the program that uses it, or set ASPNETCORE_URLS to another address.",
            output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_public_address_without_keys_is_refused_in_one_line()
    {
        var (code, output) = await StartAsync(("ASPNETCORE_URLS", $"http://0.0.0.0:{ManagerProcess.FreePort()}"));

        Assert.Equal(1, code);
        Assert.Contains("Error: The manager must not listen on ", output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
    }

    /// <returns>The exit code, and both output streams.</returns>
    private static async Task<(int Code, string Output)> StartAsync(params (string Name, string Value)[] settings)
    {
        var storage = Directory.CreateTempSubdirectory("newarbots-storage-");
        try
        {
            var start = new ProcessStartInfo("dotnet", [typeof(Bot).Assembly.Location])
            {
                UseShellExecute = false,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                Environment =
                {
                    ["ASPNETCORE_URLS"] = $"http://127.0.0.1:{ManagerProcess.FreePort()}",
                    ["ConnectionStrings__redis"] = $"127.0.0.1:{BrokenRedisPort}",
                    ["Storage__Path"] = storage.FullName,
                },
            };
            foreach (var (name, value) in settings)
                start.Environment[name] = value;
            using var manager = Process.Start(start)!;
            using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(1), TimeProvider.System);
            var output = manager.StandardOutput.ReadToEndAsync(deadline.Token);
            var errors = await manager.StandardError.ReadToEndAsync(deadline.Token);
            await manager.WaitForExitAsync(deadline.Token);
            return (manager.ExitCode, (await output + errors).TrimEnd());
        }
        finally
        {
            storage.Delete(recursive: true);
        }
    }
}
