using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Configuration;
using NewarBots.AppHost;

namespace NewarBots.Tests.AppHost;

public sealed class AddressesTests
{
    [Theory]
    [InlineData(null, "127.0.0.1 8082")]
    [InlineData("", "127.0.0.1 8082")]
    [InlineData("http://localhost:8099", "localhost 8099")]
    [InlineData("http://127.0.0.1:8099/", "127.0.0.1 8099")]
    [InlineData("http://[::1]:8099;http://127.0.0.1:8098", "[::1] 8099")]
    [InlineData("http://*:8099", "* 8099")]
    [InlineData("http://192.168.7.1:8099;http://[::1]:8098", "192.168.7.1 8099")]
    [InlineData("http://127.0.0.1:8099;http://[::1]:8099;", "127.0.0.1 8099")]
    [InlineData(";", "127.0.0.1 8082")]
    public void The_AppHost_uses_the_first_of_the_managers_addresses(string? urls, string address)
    {
        var addresses = Read(urls);

        Assert.Equal(address, $"{addresses.Manager.Host} {addresses.Manager.Port}");
        Assert.Equal(urls is "" or ";" ? null : urls, addresses.ManagerUrls);
    }

    [Fact]
    public void All_invalid_addresses_are_reported_together()
    {
        var wrong = Assert.Throws<InvalidSettingsException>(() => Read("8082;http://127.0.0.1:8083;https://127.0.0.1:8084", ("Dashboard:Url", "https://localhost:18888"), ("Redis:Port", "many")));

        Assert.Equal(
            "ASPNETCORE_URLS must be an http address with a port, for example http://127.0.0.1:8082 (it is '8082'). "
            + "ASPNETCORE_URLS must be an http address with a port, for example http://127.0.0.1:8082 (it is 'https://127.0.0.1:8084'). "
            + "Dashboard__Url must be an http address with a port, for example http://127.0.0.1:8082 (it is 'https://localhost:18888'). "
            + "Redis__Port must be a port, 1 to 65535 (it is 'many').",
            wrong.Message);
    }

    [Theory]
    [InlineData("http://127.0.0.1:99999")]
    [InlineData("http://127.0.0.1:0")]
    [InlineData("http://127.0.0.1:port")]
    public void An_address_needs_a_valid_port(string url) => Assert.Equal(
        $"Dashboard__Url must be an http address with a port, for example http://127.0.0.1:8082 (it is '{url}').",
        Assert.Single(Assert.Throws<InvalidSettingsException>(() => Read(urls: null, ("Dashboard:Url", url))).Faults));

    [Fact]
    public async Task A_taken_port_is_reported_with_its_setting()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;

        Assert.Contains(
            $"The manager needs port {port}, but another program uses it. Stop that program, or set another port with ASPNETCORE_URLS.",
            await Read($"http://127.0.0.1:{port}").FindTakenPortsAsync(isRedisStarted: true));
        Assert.Contains(
            $"The dashboard needs port {port}, but another program uses it. Stop that program, or set another port with Dashboard__Url.",
            await Read(urls: null, ("Dashboard:Url", $"http://localhost:{port}")).FindTakenPortsAsync(isRedisStarted: true));
    }

    [Fact]
    public async Task All_ports_of_the_manager_are_checked_once_each()
    {
        using var first = new TcpListener(IPAddress.Loopback, 0);
        first.Start();
        using var second = new TcpListener(IPAddress.Loopback, 0);
        second.Start();
        var (one, two) = (((IPEndPoint)first.LocalEndpoint).Port, ((IPEndPoint)second.LocalEndpoint).Port);

        var taken = await Read($"http://127.0.0.1:{one};http://127.0.0.1:{two};http://[::1]:{two}").FindTakenPortsAsync(isRedisStarted: false);

        Assert.Equal(
            [
                $"The manager needs port {one}, but another program uses it. Stop that program, or set another port with ASPNETCORE_URLS.",
                $"The manager needs port {two}, but another program uses it. Stop that program, or set another port with ASPNETCORE_URLS.",
            ],
            taken.Where(fault => fault.StartsWith("The manager", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Redis_needs_its_port_only_if_the_AppHost_starts_it()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;
        var addresses = Read(urls: null, ("Redis:Port", $"{port}"));
        var fault = $"Redis needs port {port}, but another program uses it. Stop that program, or set another port with Redis__Port.";

        Assert.Contains(fault, await addresses.FindTakenPortsAsync(isRedisStarted: true));
        Assert.DoesNotContain(fault, await addresses.FindTakenPortsAsync(isRedisStarted: false));
    }

    private static Addresses Read(string? urls, params (string Key, string Value)[] settings) => Addresses.Read(
        new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?>
            {
                ["Dashboard:Url"] = "http://localhost:18888",
                ["ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL"] = "http://localhost:18889",
                ["ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL"] = "http://localhost:18891",
                ["Redis:Port"] = "18890",
            })
            .AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value)))
            .Build(),
        urls);
}
