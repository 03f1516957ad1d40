using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using CliWrap;
using CliWrap.Buffered;
using NewarBots.Manager.Access;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Access;

/// <summary>Each test starts its own manager: without keys, with keys, or with special settings.</summary>
public sealed class AccessStateTests(RedisServer redis) : IClassFixture<RedisServer>
{
    private static readonly (string Name, string Value) NoEngine = ("DOCKER_HOST", "unix:///nowhere/docker.sock");

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Without_keys_local_callers_are_allowed_until_the_command_creates_one()
    {
        await using var manager = await ManagerProcess.StartAsync(redis.Configuration, NoEngine);
        Assert.Contains("No keys exist, so the manager serves all local callers and no others", manager.Output, StringComparison.Ordinal);
        var me = await KeyedManager.AskAsync(manager, key: null, "GET", "/session");
        Assert.Equal((HttpStatusCode.OK, """{"role":"admin"}"""), (me.Status, me.Body!.ToJsonString()));
        var first = await KeyedManager.AskAsync(manager, key: null, "POST", "/keys", """{"name": "mine", "role": "admin"}""");
        Assert.Equal((HttpStatusCode.Conflict, "first-key-by-command"), (first.Status, first.Problem));

        var added = await Cli.Wrap("dotnet")
            .WithArguments([typeof(KeyFile).Assembly.Location, "keys", "add", "First of all", "--role", "admin"])
            .WithEnvironmentVariables(environment => environment.Set("Storage__Path", manager.Storage))
            .ExecuteBufferedAsync();

        Assert.Equal("key-required", (await KeyedManager.AskAsync(manager, key: null, "GET", "/bots")).Problem);
        Assert.Equal(HttpStatusCode.OK, (await KeyedManager.AskAsync(manager, added.StandardOutput.Trim(), "GET", "/keys")).Status);
    }

    [Theory]
    [InlineData("X-Forwarded-For", "203.0.113.7")]
    [InlineData("X-Forwarded-Host", "bots.example.com")]
    [InlineData("X-Real-IP", "203.0.113.7")]
    [InlineData("Forwarded", "for=203.0.113.7")]
    [InlineData("Host", "bots.example.com")]
    [InlineData("Host", "127.0.0.1.example.com")]
    [InlineData("Host", "192.168.1.7:8082")]
    public async Task Without_keys_requests_through_a_proxy_or_with_another_host_name_are_rejected(string header, string value)
    {
        await using var manager = await ManagerProcess.StartAsync(redis.Configuration, NoEngine);

        var rejected = await KeyedManager.AskAsync(manager, key: null, "GET", "/bots", json: null, (header, value));

        Assert.False(rejected.Status is HttpStatusCode.OK, $"{header}: {value}");
        Assert.Equal(HttpStatusCode.OK, (await KeyedManager.AskAsync(manager, key: null, "GET", "/bots", json: null, ("Host", "manager.localhost:8082"))).Status);

        await KeyedManager.AddAsync(manager, "anna");
        var key = await KeyedManager.AddAsync(manager, "anna");
        Assert.Equal(HttpStatusCode.OK, (await KeyedManager.AskAsync(manager, key, "GET", "/bots", json: null, (header, value))).Status);
    }

    [Theory]
    [InlineData("ASPNETCORE_URLS", "http://0.0.0.0:{0}")]
    [InlineData("ASPNETCORE_URLS", "http://*:{0}")]
    [InlineData("ASPNETCORE_HTTP_PORTS", "{0}")]
    [InlineData("Kestrel__Endpoints__Public__Url", "http://[::]:{0}")]
    public async Task Without_keys_the_manager_refuses_to_listen_on_public_addresses(string setting, string value)
    {
        var port = ManagerProcess.FreePort();
        using var folder = new TemporaryFolder();

        var exited = await StartAsync(folder.Path, (setting, string.Format(null, value, port)));
        Assert.NotEqual(0, exited.Code);
        Assert.Contains($":{port} without keys", exited.Output, StringComparison.Ordinal);
        Assert.Contains("keys add NAME", exited.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task With_keys_the_manager_listens_on_public_addresses()
    {
        await using var manager = await ManagerProcess.StartAsync(redis.Configuration, NoEngine);
        var key = await KeyedManager.AddAsync(manager, "anna");
        manager.Kill();
        var publicAddress = NetworkInterface.GetAllNetworkInterfaces()
            .OrderBy(network => network.Name is not "docker0")
            .SelectMany(network => network.GetIPProperties().UnicastAddresses.Select(unicast => unicast.Address))
            .First(address => address.AddressFamily is AddressFamily.InterNetwork && !IPAddress.IsLoopback(address));
        await manager.StartAsync(("ASPNETCORE_URLS", $"http://127.0.0.1:{manager.Port};http://{publicAddress}:{manager.Port}"));

        Assert.Equal("key-required", (await KeyedManager.AskAsync(manager, key: null, "GET", $"http://{publicAddress}:{manager.Port}/bots")).Problem);
        Assert.Equal(HttpStatusCode.OK, (await KeyedManager.AskAsync(manager, key, "GET", $"http://{publicAddress}:{manager.Port}/bots")).Status);

        // The page can offer rehearsal meetings there too: their URLs use the manager's local address.
        var scenario = (await KeyedManager.AskAsync(manager, key, "GET", $"http://{publicAddress}:{manager.Port}/page/scenarios")).Body![0]!["meetingUrl"];
        Assert.StartsWith($"http://localhost:{manager.Port}/rehearsal/", (string)scenario!, StringComparison.Ordinal);
        var sent = await KeyedManager.AskAsync(
            manager, key, "POST", $"http://{publicAddress}:{manager.Port}/bots", new JsonObject { ["meetingUrl"] = scenario!.DeepClone() }.ToJsonString());
        Assert.Equal(HttpStatusCode.Accepted, sent.Status);
    }

    [Fact]
    public async Task A_damaged_or_missing_key_file_rejects_all_requests_until_it_is_restored()
    {
        await using var manager = await ManagerProcess.StartAsync(redis.Configuration, NoEngine);
        var key = await KeyedManager.AddAsync(manager, "anna", AccessRole.Admin);
        var path = KeyedManager.FileOf(manager).Path;
        var good = await File.ReadAllTextAsync(path);
        Assert.Equal(HttpStatusCode.OK, (await KeyedManager.AskAsync(manager, key, "GET", "/bots")).Status);

        await File.WriteAllTextAsync(path, good[..^20]);
        foreach (var sentKey in (string?[])[key, null])
        {
            var answer = await KeyedManager.AskAsync(manager, sentKey, "GET", "/bots");
            Assert.Equal((HttpStatusCode.ServiceUnavailable, "keys-unreadable"), (answer.Status, answer.Problem));
        }
        await Eventually.TrueAsync(() => Task.FromResult(manager.Output.Contains($"All requests are rejected until the keys can be read: {path} is damaged", StringComparison.Ordinal)), Timeout);
        File.Delete(path);
        Assert.Equal("keys-unreadable", (await KeyedManager.AskAsync(manager, key: null, "GET", "/bots")).Problem);

        await File.WriteAllTextAsync(path, good);
        Assert.Equal(HttpStatusCode.OK, (await KeyedManager.AskAsync(manager, key, "GET", "/bots")).Status);
    }

    [Fact]
    public async Task Too_many_requests_of_one_key_get_429_and_other_keys_are_not_affected()
    {
        await using var manager = await ManagerProcess.StartAsync(
            redis.Configuration, NoEngine, ("Access__RequestBurst", "5"), ("Access__RequestsPerMinute", "1"));
        var (annas, berts) = (await KeyedManager.AddAsync(manager, "anna"), await KeyedManager.AddAsync(manager, "bert"));

        for (var i = 0; i < 5; i++)
            Assert.Equal(HttpStatusCode.OK, (await KeyedManager.AskAsync(manager, annas, "GET", "/bots")).Status);
        var limited = await KeyedManager.AskAsync(manager, annas, "GET", "/bots");
        Assert.Equal((HttpStatusCode.TooManyRequests, "too-many-requests"), (limited.Status, limited.Problem));
        Assert.InRange(int.Parse(limited.Headers["Retry-After"], provider: null), 1, 60);

        Assert.Equal(HttpStatusCode.OK, (await KeyedManager.AskAsync(manager, annas, "GET", "/page/page.js")).Status);
        Assert.Equal(HttpStatusCode.OK, (await KeyedManager.AskAsync(manager, berts, "GET", "/bots")).Status);
    }

    [Fact]
    public async Task Requests_get_429_while_a_key_has_its_maximum_of_open_streams()
    {
        await using var manager = await ManagerProcess.StartAsync(redis.Configuration, NoEngine, ("Access__RequestsAtOnce", "2"));
        var (annas, berts) = (await KeyedManager.AddAsync(manager, "anna"), await KeyedManager.AddAsync(manager, "bert"));
        using var first = await ListenAsync();
        using var second = await ListenAsync();
        Assert.All([first, second], stream => Assert.Equal(HttpStatusCode.OK, stream.StatusCode));

        var limited = await KeyedManager.AskAsync(manager, annas, "GET", "/bots");
        Assert.Equal((HttpStatusCode.TooManyRequests, "too-many-requests", "1"), (limited.Status, limited.Problem, limited.Headers["Retry-After"]));
        Assert.Equal(HttpStatusCode.OK, (await KeyedManager.AskAsync(manager, berts, "GET", "/bots")).Status);

        first.Dispose();
        await Eventually.TrueAsync(
            async () => (await KeyedManager.AskAsync(manager, annas, "GET", "/bots")).Status is HttpStatusCode.OK, TimeSpan.FromSeconds(20));

        async Task<HttpResponseMessage> ListenAsync()
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/bots/events") { Headers = { { "X-API-Key", annas } } };
            return await manager.Api.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        }
    }

    [Fact]
    public async Task Too_many_invalid_keys_get_429_and_valid_keys_still_pass()
    {
        await using var manager = await ManagerProcess.StartAsync(redis.Configuration, NoEngine, ("Access__WrongKeysPerMinute", "5"));
        var key = await KeyedManager.AddAsync(manager, "anna");

        for (var i = 0; i < 5; i++)
            Assert.Equal("key-not-valid", (await KeyedManager.AskAsync(manager, Credential.New().Text, "GET", "/bots")).Problem);
        var limited = await KeyedManager.AskAsync(manager, Credential.New().Text, "GET", "/bots");

        Assert.Equal((HttpStatusCode.TooManyRequests, "too-many-requests"), (limited.Status, limited.Problem));
        Assert.InRange(int.Parse(limited.Headers["Retry-After"], provider: null), 1, 60);
        Assert.Equal(HttpStatusCode.OK, (await KeyedManager.AskAsync(manager, key, "GET", "/bots")).Status);
        Assert.Equal("key-required", (await KeyedManager.AskAsync(manager, key: null, "GET", "/bots")).Problem);
    }

    [Fact]
    public async Task Behind_a_proxy_invalid_keys_are_limited_per_client_and_forged_addresses_are_ignored()
    {
        await using var manager = await ManagerProcess.StartAsync(redis.Configuration, NoEngine, ("Access__WrongKeysPerMinute", "2"));
        await KeyedManager.AddAsync(manager, "anna");

        Assert.Equal("key-not-valid", await ProblemAsync("198.51.100.1, 203.0.113.7"));
        Assert.Equal("key-not-valid", await ProblemAsync("198.51.100.2, 203.0.113.7"));
        Assert.Equal("too-many-requests", await ProblemAsync("198.51.100.3, 203.0.113.7"));
        Assert.Equal("key-not-valid", await ProblemAsync("203.0.113.8"));

        async Task<string?> ProblemAsync(string forwardedFor) => (await KeyedManager.AskAsync(
            manager, Credential.New().Text, "GET", "/bots", json: null, ("X-Forwarded-For", forwardedFor))).Problem;
    }

    [Fact]
    public async Task Startup_fails_and_names_all_invalid_settings()
    {
        using var folder = new TemporaryFolder();

        var exited = await StartAsync(folder.Path, ("Access__RequestBurst", "0"), ("Access__RequestsPerMinute", "-1"));

        Assert.NotEqual(0, exited.Code);
        Assert.Contains("Access:RequestsPerMinute must be 1 or more (it is -1).", exited.Output, StringComparison.Ordinal);
        Assert.Contains("Access:RequestBurst must be 1 or more (it is 0).", exited.Output, StringComparison.Ordinal);
    }

    /// <summary>Starts a manager that is expected to exit, and waits until it has.</summary>
    private async Task<(int Code, string Output)> StartAsync(string storage, params (string Name, string Value)[] settings)
    {
        using var deadline = new CancellationTokenSource(Timeout);
        var exited = await Cli.Wrap("dotnet")
            .WithArguments([typeof(KeyFile).Assembly.Location])
            .WithEnvironmentVariables(environment =>
            {
                environment.Set("ConnectionStrings__redis", redis.Configuration).Set("Storage__Path", storage).Set(NoEngine.Name, NoEngine.Value);
                foreach (var (name, value) in settings)
                    environment.Set(name, value);
            })
            .WithValidation(CommandResultValidation.None)
            .ExecuteBufferedAsync(deadline.Token);
        return (exited.ExitCode, exited.StandardOutput + exited.StandardError);
    }

    private sealed class TemporaryFolder : IDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("newarbots-storage-").FullName;

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}
