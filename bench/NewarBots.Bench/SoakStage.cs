using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using CliWrap;
using NewarBots.Contract;
using NewarBots.Manager.Containers;

namespace NewarBots.Bench;

/// <summary>
/// One or more managers that share their own Redis, storage and stack. Their bots generate audio. Each manager can be killed and restarted.
/// Disposing removes everything.
/// </summary>
internal sealed class SoakStage : IAsyncDisposable
{
    private const string Password = "soak";

    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(3);

    /// <summary>Those of <c>deploy/compose.yaml</c>.</summary>
    private static readonly string[] LimitsOfDeployment =
    [
        "--maxmemory", "1gb", "--maxmemory-policy", "noeviction", "--proto-max-bulk-len", "1mb", "--client-query-buffer-limit", "2mb", "--maxmemory-clients", "64mb",
        "--acllog-max-len", "0",
    ];

    private readonly string _root = Directory.CreateTempSubdirectory("newarbots-soak-").FullName;
    private readonly int _redisPort = ChildProcess.FreePort();
    private readonly ChildProcess _redis;
    private readonly List<SoakManager> _managers = [];

    private SoakStage() => _redis = new("redis-server",
    [
        "--bind", "127.0.0.1", "--port", $"{_redisPort}", "--dir", _root, "--appendonly", "yes", "--appendfsync", "everysec", "--save", "", "--protected-mode", "no",
        "--requirepass", Password, .. LimitsOfDeployment,
    ]);

    /// <summary>The label of its containers.</summary>
    public string Stack { get; } = $"soak-{SessionId.New(TimeProvider.System)}";

    public IReadOnlyList<SoakManager> Managers => _managers;

    public string Storage => Path.Combine(_root, "storage");

    /// <summary>StackExchange.Redis configuration of the managers.</summary>
    public string Redis => $"127.0.0.1:{_redisPort},password={Password}";

    /// <param name="managers">Number of managers.</param>
    /// <param name="bots">Limit of concurrent bots.</param>
    /// <param name="cancellation">Cancels the start.</param>
    /// <param name="user">A user id other than root's for the managers; 0 for the user of this process.</param>
    /// <param name="image">The image of the recorders; <see langword="null"/> for the recorder's own.</param>
    public static async Task<SoakStage> StartAsync(int managers, int bots, CancellationToken cancellation, int user = 0, string? image = null)
    {
        var stage = new SoakStage();
        try
        {
            if (user != 0)
                await stage.GiveToAsync(user, cancellation);
            for (var i = 0; i < managers; i++)
                stage._managers.Add(new(stage.Environment(bots, image), user));
            foreach (var manager in stage._managers)
                await manager.StartAsync(Timeout, cancellation);
            return stage;
        }
        catch
        {
            await stage.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var manager in _managers)
            manager.Dispose();
        _redis.Dispose();
        using (var docker = new Docker())
            await docker.RemoveAllAsync(Stack, network: Stack);
        // Folders of a compromised recorder may be nested deeper than a path can be long.
        await Cli.Wrap("rm").WithArguments(["--recursive", "--force", "--", _root]).ExecuteAsync();
    }

    /// <summary>Also opens the root folder, which only its owner could search.</summary>
    private async Task GiveToAsync(int user, CancellationToken cancellation)
    {
        Directory.CreateDirectory(Storage);
        await Cli.Wrap("chown").WithArguments([$"{user}", Storage]).ExecuteAsync(cancellation);
        await Cli.Wrap("chmod").WithArguments(["711", _root]).ExecuteAsync(cancellation);
    }

    private Dictionary<string, string> Environment(int bots, string? image) => new()
    {
        ["Launching__Image"] = image ?? new LaunchingOptions().Image,
        ["ASPNETCORE_ENVIRONMENT"] = "Production",
        ["ConnectionStrings__redis"] = Redis,
        ["Storage__Path"] = Storage,
        ["Launching__Stack"] = Stack,
        ["Launching__Network"] = Stack,
        ["Launching__GenerateAudio"] = "true",
        ["Launching__MaxConcurrentBots"] = $"{bots}",
        ["OTEL_EXPORTER_OTLP_ENDPOINT"] = string.Empty,
    };
}

internal sealed class SoakManager : IDisposable
{
    /// <summary>A member of this group can use the engine.</summary>
    private const string EngineSocket = "/var/run/docker.sock";

    private readonly Dictionary<string, string> _environment;
    private readonly string[] _command = ["dotnet", typeof(Manager.Bots.Bot).Assembly.Location];
    private ChildProcess? _process;

    /// <param name="environment">Added to the environment of this process.</param>
    /// <param name="user">The user id that it runs as, with the group of the engine's socket; 0 for the user of this process.</param>
    public SoakManager(Dictionary<string, string> environment, int user)
    {
        var port = ChildProcess.FreePort();
        _environment = environment;
        if (user != 0)
        {
            _command = ["sh", "-c", $"""exec setpriv --reuid {user} --regid {user} --groups "$(stat -c %g {EngineSocket})" "$@" """, "sh", .. _command];
            _environment["HOME"] = _environment["Storage__Path"];
        }

        _environment["ASPNETCORE_URLS"] = $"http://127.0.0.1:{port}";
        Api = new() { BaseAddress = new($"http://127.0.0.1:{port}") };
    }

    public HttpClient Api { get; }

    public bool Runs => _process is not null;

    public int ProcessId => _process!.Id;

    /// <summary>Errors in its log, across restarts.</summary>
    public ConcurrentQueue<string> Errors { get; } = [];

    /// <summary>Returns once it responds.</summary>
    public async Task StartAsync(TimeSpan timeout, CancellationToken cancellation)
    {
        _process = new(_command[0], _command[1..], _environment, line =>
        {
            if (line.StartsWith("fail: ", StringComparison.Ordinal) || line.StartsWith("crit: ", StringComparison.Ordinal))
                Errors.Enqueue(line);
        });
        await Wait.ForAsync(
            async () =>
            {
                _process.ThrowIfEnded();
                try
                {
                    return (await Api.GetAsync(new Uri("/alive", UriKind.Relative), cancellation)).IsSuccessStatusCode ? Api : null;
                }
                catch (HttpRequestException)
                {
                    return null;
                }
            },
            "a manager responds",
            timeout,
            cancellation);
    }

    /// <summary>SIGKILL.</summary>
    public void Kill()
    {
        _process?.Dispose();
        _process = null;
    }

    /// <summary>All bots, newest first.</summary>
    public async Task<IReadOnlyList<JsonNode>> BotsAsync(CancellationToken cancellation)
    {
        _process?.ThrowIfEnded();
        var bots = new List<JsonNode>();
        string? cursor = null;
        do
        {
            var page = (await Api.GetFromJsonAsync<JsonNode>($"/bots?limit=200{(cursor is null ? "" : $"&cursor={cursor}")}", cancellation))!;
            bots.AddRange(page["items"]!.AsArray().Select(bot => bot!));
            cursor = (string?)page["nextCursor"];
        }
        while (cursor is not null);
        return bots;
    }

    /// <summary>Resident memory, and CPU time since its start.</summary>
    public (double MiB, double CpuSeconds) Measure()
    {
        var status = File.ReadAllLines($"/proc/{_process!.Id}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
        // proc(5): fields 14 and 15 are in ticks of 10 ms. Field 2 may contain spaces and ends with a parenthesis.
        var fields = File.ReadAllText($"/proc/{_process.Id}/stat").Split(')')[^1].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return (
            double.Parse(status[6..].Replace("kB", string.Empty, StringComparison.Ordinal), CultureInfo.InvariantCulture) / 1024,
            (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)) / 100.0);
    }

    public void Dispose()
    {
        Kill();
        Api.Dispose();
    }
}
