using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using NewarBots.Contract;
using NewarBots.Manager.Access;

namespace NewarBots.Bench;

/// <summary>
/// A manager process with its own Redis, ports, storage folder, stack and Docker network. Disposing removes all of them.
/// </summary>
internal sealed class RunningManager : IAsyncDisposable
{
    private const string NoLimit = "1000000000";

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    private readonly string _root = Directory.CreateTempSubdirectory("newarbots-bench-").FullName;
    private readonly string _name = $"bench-{SessionId.New(TimeProvider.System)}";
    private readonly int _port = ChildProcess.FreePort();
    private ChildProcess? _redis;
    private ChildProcess? _manager;

    private RunningManager()
    {
        Address = new($"http://localhost:{_port}");
        Api = new() { BaseAddress = new($"http://127.0.0.1:{_port}") };
    }

    public string Storage => Path.Combine(_root, "storage");

    /// <summary>The address that users write into meeting URLs.</summary>
    public Uri Address { get; }

    public HttpClient Api { get; }

    /// <summary>StackExchange.Redis configuration.</summary>
    public string Redis { get; private set; } = string.Empty;

    /// <param name="settings">Additional environment variables.</param>
    /// <param name="cancellation">Cancels the start.</param>
    /// <param name="withKey">Requires an API key, which <see cref="Api"/> sends. Rate limits are lifted.</param>
    public static async Task<RunningManager> StartAsync((string Name, string Value)[] settings, CancellationToken cancellation, bool withKey = false)
    {
        var manager = new RunningManager();
        try
        {
            if (withKey)
                await manager.AddKeyAsync(cancellation);
            manager.Start(settings);
            await Wait.ForAsync(() => manager.AliveAsync(cancellation), "the manager responds", Timeout, cancellation);
            return manager;
        }
        catch
        {
            await manager.DisposeAsync();
            throw;
        }
    }

    /// <returns>The bot's id.</returns>
    public async Task<string> SendAsync(string meetingUrl, CancellationToken cancellation)
    {
        using var response = await Api.PostAsJsonAsync("/bots", new { meetingUrl }, cancellation);
        response.EnsureSuccessStatusCode();
        return (string)(await response.Content.ReadFromJsonAsync<JsonNode>(cancellation))!["id"]!;
    }

    /// <summary>Polls until the bot has one of these statuses. Fails with the bot and its log if it ends earlier or takes too long.</summary>
    public async Task<JsonNode> UntilAsync(string id, CancellationToken cancellation, params string[] statuses)
    {
        JsonNode? bot = null;
        try
        {
            return await Wait.ForAsync(
                async () =>
                {
                    bot = (await Api.GetFromJsonAsync<JsonNode>($"/bots/{id}", cancellation))!;
                    var status = (string)bot["status"]!;
                    if (statuses.Contains(status))
                        return bot;
                    return status is "completed" or "failed" or "cancelled" ? throw new InvalidOperationException("It ended with another status.") : null;
                },
                $"the bot is {string.Join(" or ", statuses)}",
                Timeout,
                cancellation);
        }
        catch (Exception exception) when (exception is TimeoutException or InvalidOperationException)
        {
            using var log = await Api.GetAsync(new Uri($"/bots/{id}/logs", UriKind.Relative), cancellation);
            throw new InvalidOperationException($"{exception.Message} {bot}\n{await log.Content.ReadAsStringAsync(cancellation)}", exception);
        }
    }

    /// <summary>Stops the bot and waits until it has ended.</summary>
    public async Task EndAsync(string id, CancellationToken cancellation)
    {
        (await Api.PostAsync(new Uri($"/bots/{id}/stop", UriKind.Relative), content: null, cancellation)).EnsureSuccessStatusCode();
        await UntilAsync(id, cancellation, "completed", "failed", "cancelled");
    }

    public async ValueTask DisposeAsync()
    {
        Api.Dispose();
        _manager?.Dispose();
        _redis?.Dispose();
        using (var docker = new Docker())
            await docker.RemoveAllAsync(stack: _name, network: _name);
        Directory.Delete(_root, recursive: true);
    }

    private async Task AddKeyAsync(CancellationToken cancellation)
    {
        var secret = Credential.New();
        var keys = new KeyFile(new StorageLayout(Storage), TimeProvider.System, NullLogger<KeyFile>.Instance);
        await keys.ChangeAsync(
            list => list.Add(new AccessKey(secret.Id, "bench", UserId.Default, AccessRole.Admin, TimeProvider.System.GetUtcNow(), secret.Hash)), cancellation);
        Api.DefaultRequestHeaders.Add(KeyAuthentication.HeaderName, secret.Text);
    }

    private void Start((string Name, string Value)[] settings)
    {
        var redisPort = ChildProcess.FreePort();
        // The manager's relay connects from 127.0.0.2, which Redis 7.0 does not treat as local. `./run` sets a password instead.
        _redis = new("redis-server",
        [
            "--bind", "127.0.0.1", "--port", $"{redisPort}", "--dir", _root, "--appendonly", "yes", "--appendfsync", "everysec", "--save", "", "--protected-mode", "no",
        ]);
        Redis = $"127.0.0.1:{redisPort}";
        var environment = new Dictionary<string, string>
        {
            ["ASPNETCORE_ENVIRONMENT"] = "Development",
            ["ASPNETCORE_URLS"] = $"http://127.0.0.1:{_port}",
            ["ConnectionStrings__redis"] = Redis,
            ["Storage__Path"] = Storage,
            ["Access__RequestsPerMinute"] = NoLimit,
            ["Access__RequestBurst"] = NoLimit,
            ["Launching__Stack"] = _name,
            ["Launching__Network"] = _name,
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = string.Empty,
        };
        foreach (var (name, value) in settings)
            environment[name] = value;
        _manager = new("dotnet", [typeof(Manager.Bots.Bot).Assembly.Location], environment);
    }

    private async Task<object?> AliveAsync(CancellationToken cancellation)
    {
        _redis!.ThrowIfEnded();
        _manager!.ThrowIfEnded();
        try
        {
            var health = await Api.GetAsync(new Uri("/alive", UriKind.Relative), cancellation);
            return health.IsSuccessStatusCode ? health : null;
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }
}
