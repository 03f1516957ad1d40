using CliWrap;
using CliWrap.Buffered;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Deployment;

public sealed class RunScriptTests
{
    [Theory]
    [InlineData("", "127.0.0.1 8082")]
    [InlineData("http://localhost:8099", "127.0.0.1 8099")]
    [InlineData("http://127.0.0.1:8099/", "127.0.0.1 8099")]
    [InlineData("http://[::1]:8099", "::1 8099")]
    [InlineData("http://[::1]:8099;http://127.0.0.1:8098", "::1 8099")]
    [InlineData("http://[::]:8099", "127.0.0.1 8099")]
    [InlineData("http://*:8099", "127.0.0.1 8099")]
    [InlineData("http://192.168.7.1:8099;http://[::1]:8098", "192.168.7.1 8099")]
    public async Task Run_waits_for_the_manager_at_the_address_on_which_it_listens(string urls, string address)
    {
        Assert.Equal(address, await RunAsync("echo $(manager_host) $(manager_port)", urls));
    }

    [Fact]
    public async Task Run_reaches_a_server_that_listens_on_IPv6_only()
    {
        using var server = new System.Net.Sockets.TcpListener(System.Net.IPAddress.IPv6Loopback, 0);
        server.Start();
        var port = ((System.Net.IPEndPoint)server.LocalEndpoint).Port;

        Assert.Equal("taken", await RunAsync("port_taken $(manager_host) $(manager_port) && echo taken", $"http://[::1]:{port}"));
    }

    private static async Task<string> RunAsync(string command, string urls)
    {
        var result = await Cli.Wrap("bash")
            .WithArguments(["-c", $"set -euo pipefail; source '{Repository.PathOf("eng", "services.sh")}'; {command}"])
            .WithEnvironmentVariables(variables => variables.Set("ASPNETCORE_URLS", urls).Set("UseAspire", "false"))
            .ExecuteBufferedAsync(TestContext.Current.CancellationToken);
        return result.StandardOutput.Trim();
    }
}
