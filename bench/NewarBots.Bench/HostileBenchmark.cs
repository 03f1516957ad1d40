using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using CliWrap;
using CliWrap.Buffered;
using NewarBots.Contract;
using NewarBots.Manager.Containers;
using StackExchange.Redis;

namespace NewarBots.Bench;

/// <summary>
/// Honest bots beside bots whose recorders are compromised. The container of each bot only waits for its end: this process writes its chunks, its
/// journal and the hostile files, so that 25 bots fit on two cores. All bots end at the same time.
/// </summary>
internal sealed class HostileBenchmark : Benchmark
{
    private const string HonestUser = "honest";
    private const string HostileUser = "hostile";
    private const double Goal = 5;
    private const string Image = "newarbots-bench/waiting:dev";

    private const string Dockerfile = """
        FROM debian:bookworm-slim
        CMD ["bash", "-c", "trap 'exit 0' TERM; sleep infinity & wait"]
        """;

    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Recorded = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ProbeInterval = TimeSpan.FromMilliseconds(100);

    private readonly Figures _responses = new();
    private readonly Figures _redis = new();

    public override string Name => "hostile";

    public override string Summary =>
        "honest=5 files=100000 seconds=20 minutes=10 user=0 users=1: honest bots beside 20 compromised recorders, all ending at once (goals: honest ones complete within "
        + "5 s of their end, manager under 250 MiB, nothing left over)";

    public override async Task RunAsync(Arguments arguments, CancellationToken cancellation)
    {
        var honestCount = arguments.Int("honest", 5);
        var length = TimeSpan.FromSeconds(arguments.Int("seconds", 20));
        PrintLoad("before");
        using var docker = new Docker();
        var attacks = HostileAttack.All(docker, arguments.Int("files", 100_000));
        await Cli.Wrap("docker").WithArguments(["build", "--tag", Image, "-"]).WithStandardInputPipe(PipeSource.FromString(Dockerfile)).ExecuteBufferedAsync(cancellation);
        await using var stage = await SoakStage.StartAsync(managers: 1, honestCount + attacks.Count, cancellation, arguments.Int("user", 0), Image);
        var manager = stage.Managers[0];

        var users = Math.Max(1, arguments.Int("users", 1));
        var honest = await SendAsync(stage, honestCount, _ => HonestUser, cancellation);
        var ids = await SendAsync(stage, attacks.Count, number => $"{HostileUser}-{number % users}", cancellation);
        var all = new Dictionary<SessionId, SessionFiles>(honest.Concat(ids));
        await RecordAsync(stage, docker, all, cancellation);
        var hostile = new List<HostileBot>();
        foreach (var (id, files) in ids)
            hostile.Add(Hostile(manager, id, files));

        await using var memory = new PeakMemory(manager.ProcessId, ProbeInterval);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var probes = Task.WhenAll(ProbeApiAsync(manager, honest[0].Key, ended.Token), ProbeRedisAsync(stage, ended.Token));
        var keeping = new List<Task>();
        for (var number = 0; number < attacks.Count; number++)
        {
            await attacks[number].Write(hostile[number]);
            await hostile[number].Files.GiveToRecorderAsync();
            if (attacks[number].Keep is { } keep)
            {
                var bot = hostile[number];
                keeping.Add(Task.Run(() => keep(bot, ended.Token), CancellationToken.None));
            }
        }

        PrintLoad("attacks run");
        for (var watch = Stopwatch.StartNew(); watch.Elapsed < length;)
        {
            foreach (var files in all.Values)
                files.Report(BotStatus.Recording, Recorded);
            await Task.Delay(ProgressInterval, TimeProvider.System, cancellation);
        }

        foreach (var (_, files) in honest)
            files.Report(BotStatus.Leaving, Recorded, EndReason.MeetingEnded);
        var since = TimeProvider.System.GetUtcNow();
        await Task.WhenAll(
        [
            .. honest.Select(bot => SignalAsync(docker, bot.Key, "TERM", cancellation)),
            .. hostile.Select(bot => SignalAsync(docker, bot.Id, "KILL", cancellation)),
        ]);
        await EndedAsync(manager, bot => (string)bot["userId"]! == HonestUser, Timeout, cancellation);
        await PrintHonestAsync(manager, docker, [.. honest.Select(bot => bot.Key)], since, cancellation);
        PrintLoad("honest bots ended");
        Console.WriteLine($"health: {await HealthAsync(manager, cancellation)}");
        await EndedAsync(manager, _ => true, TimeSpan.FromMinutes(arguments.Int("minutes", 10)), cancellation);
        await ended.CancelAsync();
        await Task.WhenAll([probes, .. keeping]);

        await PrintHostileAsync(manager, attacks, [.. ids.Select(bot => bot.Key)], since, cancellation);
        await PrintFiguresAsync(stage, docker, memory, cancellation);
        Console.WriteLine($"health at the end: {await HealthAsync(manager, cancellation)}");
        PrintLoad("after");
    }

    /// <param name="stage">The manager.</param>
    /// <param name="count">Number of bots.</param>
    /// <param name="userOf">The user of the bot with that number.</param>
    /// <param name="cancellation">Ends the requests.</param>
    private static async Task<IReadOnlyList<KeyValuePair<SessionId, SessionFiles>>> SendAsync(
        SoakStage stage, int count, Func<int, string> userOf, CancellationToken cancellation)
    {
        var bots = new List<KeyValuePair<SessionId, SessionFiles>>();
        for (var number = 0; number < count; number++)
        {
            var user = userOf(number);
            var meetingUrl = $"https://meet.google.com/abc-defg-{(char)('a' + number / 26)}{(char)('a' + number % 26)}a";
            using var response = await stage.Managers[0].Api.PostAsJsonAsync("/bots", new { meetingUrl, userId = user }, cancellation);
            response.EnsureSuccessStatusCode();
            var id = SessionId.Parse((string)(await response.Content.ReadFromJsonAsync<JsonNode>(cancellation))!["id"]!);
            bots.Add(new(id, new SessionFiles(new StorageLayout(stage.Storage), UserId.Parse(user), id)));
        }

        return bots;
    }

    /// <summary>Waits for all containers, writes a minute of audio for each bot, and waits until all are recording.</summary>
    private static async Task RecordAsync(SoakStage stage, Docker docker, IReadOnlyDictionary<SessionId, SessionFiles> bots, CancellationToken cancellation)
    {
        var minute = await GeneratedChunks.EncodeMinuteAsync(cancellation);
        await Wait.ForAsync(
            async () => (await ContainersAsync(docker, stage, all: false, cancellation)).Count == bots.Count ? stage : null, "all containers run", Timeout, cancellation);
        foreach (var files in bots.Values)
        {
            files.Record(minute);
            files.Report(BotStatus.Joining, TimeSpan.Zero);
            files.Report(BotStatus.Recording, Recorded);
            await files.GiveToRecorderAsync();
        }

        await Wait.ForAsync(
            async () => (await stage.Managers[0].BotsAsync(cancellation)).All(bot => (string)bot["status"]! == "recording") ? stage : null, "all bots are recording", Timeout, cancellation);
    }

    private static async Task<JsonArray> ContainersAsync(Docker docker, SoakStage stage, bool all, CancellationToken cancellation)
    {
        var filter = Uri.EscapeDataString(new JsonObject { ["label"] = new JsonArray($"{RecorderLabels.Stack}={stage.Stack}") }.ToJsonString());
        return (await docker.GetAsync($"/containers/json?all={(all ? "true" : "false")}&filters={filter}", cancellation)).AsArray();
    }

    /// <summary>Takes the Redis user from the bot's assignment, as a compromised recorder does.</summary>
    private static HostileBot Hostile(SoakManager manager, SessionId id, SessionFiles files)
    {
        var redis = ConfigurationOptions.Parse(files.Assignment().RedisUrl!);
        var endPoint = (DnsEndPoint)redis.EndPoints[0];
        return new(id, files, manager.Api, (redis.User!, redis.Password!), $"{endPoint.Host}/{endPoint.Port}");
    }

    private static async Task SignalAsync(Docker docker, SessionId id, string signal, CancellationToken cancellation)
    {
        try
        {
            await docker.PostAsync($"/containers/newar-bot-{id}/kill?signal={signal}", body: null, cancellation);
        }
        catch (InvalidOperationException)
        {
            // The manager has stopped it already.
        }
    }

    private static async Task EndedAsync(SoakManager manager, Func<JsonNode, bool> which, TimeSpan timeout, CancellationToken cancellation)
    {
        try
        {
            await Wait.ForAsync(
                async () => (await manager.BotsAsync(cancellation)).Where(which).All(bot => (string)bot["status"]! is "completed" or "failed" or "cancelled") ? manager : null,
                "all bots have ended",
                timeout,
                cancellation);
        }
        catch (TimeoutException exception)
        {
            // The report lists those that have not.
            Console.WriteLine(exception.Message);
        }
    }

    private async Task ProbeApiAsync(SoakManager manager, SessionId id, CancellationToken cancellation)
    {
        try
        {
            while (true)
            {
                await Task.Delay(ProbeInterval, TimeProvider.System, cancellation);
                var watch = Stopwatch.StartNew();
                using var response = await manager.Api.GetAsync(new Uri($"/bots/{id}", UriKind.Relative), cancellation);
                _responses.Add(watch.Elapsed.TotalMilliseconds);
            }
        }
        catch (OperationCanceledException)
        {
            // The benchmark has ended.
        }
    }

    private async Task ProbeRedisAsync(SoakStage stage, CancellationToken cancellation)
    {
        await using var redis = await ConnectionMultiplexer.ConnectAsync(stage.Redis);
        try
        {
            while (true)
            {
                await Task.Delay(ProbeInterval, TimeProvider.System, cancellation);
                _redis.Add((await redis.GetDatabase().PingAsync()).TotalMilliseconds);
            }
        }
        catch (OperationCanceledException)
        {
            // The benchmark has ended.
        }
    }

    private static async Task PrintHonestAsync(
        SoakManager manager, Docker docker, IReadOnlyList<SessionId> honest, DateTimeOffset since, CancellationToken cancellation)
    {
        var exits = await ExitsAsync(docker, since, cancellation);
        var bots = (await manager.BotsAsync(cancellation)).ToDictionary(bot => (string)bot["id"]!);
        Console.WriteLine("\n| honest bot | status | complete | recorded, s | from exit to end, s |\n| --- | --- | --- | --- | --- |");
        foreach (var bot in honest.Select(id => bots[id.ToString()]))
        {
            var took = exits.TryGetValue($"newar-bot-{bot["id"]}", out var exit) && bot["endedAt"] is { } endedAt ? ((DateTimeOffset)endedAt - exit).TotalSeconds : double.NaN;
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {bot["id"]} | {bot["status"]} | {bot["recording"]?["complete"]} | {bot["recordedSeconds"]} | {took:0.0}{(took <= Goal ? "" : " (missed)")} |"));
        }
    }

    /// <returns>The time of exit by container name.</returns>
    private static async Task<IReadOnlyDictionary<string, DateTimeOffset>> ExitsAsync(Docker docker, DateTimeOffset since, CancellationToken cancellation)
    {
        var filter = Uri.EscapeDataString(new JsonObject { ["type"] = new JsonArray("container"), ["event"] = new JsonArray("die") }.ToJsonString());
        var until = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() + 1;
        var events = await docker.GetTextAsync($"/events?since={since.ToUnixTimeSeconds()}&until={until}&filters={filter}", cancellation);
        return events.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonNode.Parse(line)!)
            .DistinctBy(exit => (string)exit["Actor"]!["Attributes"]!["name"]!)
            .ToDictionary(
                exit => (string)exit["Actor"]!["Attributes"]!["name"]!,
                exit => DateTimeOffset.UnixEpoch.AddTicks((long)exit["timeNano"]! / 100));
    }

    private static async Task PrintHostileAsync(
        SoakManager manager, IReadOnlyList<HostileAttack> attacks, IReadOnlyList<SessionId> ids, DateTimeOffset since, CancellationToken cancellation)
    {
        var bots = (await manager.BotsAsync(cancellation)).ToDictionary(bot => (string)bot["id"]!);
        Console.WriteLine("\n| compromised recorder | status | reason | recorded, s | ended after, s |\n| --- | --- | --- | --- | --- |");
        foreach (var (attack, bot) in attacks.Zip(ids.Select(id => bots[id.ToString()])))
        {
            var after = bot["endedAt"] is { } endedAt ? ((DateTimeOffset)endedAt - since).TotalSeconds : double.NaN;
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"| {attack.Name} | {bot["status"]} | {bot["reason"]} | {bot["recording"]?["durationSeconds"]} | {after:0.0} |"));
        }
    }

    private async Task PrintFiguresAsync(SoakStage stage, Docker docker, PeakMemory memory, CancellationToken cancellation)
    {
        var storage = new StorageLayout(stage.Storage);
        // Deleted folders are emptied in the background.
        var left = await LeftAsync(storage, cancellation);
        var containers = (await ContainersAsync(docker, stage, all: true, cancellation)).Count;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"""

            | | |
            | --- | --- |
            | peak memory of the manager, MiB | {memory.OwnMiB:0} |
            | peak memory of one child process, of all together, MiB | {memory.ChildMiB:0}, {memory.ChildrenMiB:0} |
            | most child processes at once | {memory.MostChildren} |
            | `GET /bots/<id>`, ms: p50, p99, max | {_responses.Median:0.0}, {_responses.Percentile(99):0.0}, {_responses.Percentile(100):0.0} |
            | Redis `PING`, ms: p50, p99, max | {_redis.Median:0.0}, {_redis.Percentile(99):0.0}, {_redis.Percentile(100):0.0} |
            | bytes left in the folder of recording bots, entries | {left.Bytes}, {left.Entries} |
            | unfinished files among the recordings | {Directory.EnumerateFileSystemEntries(storage.FinalRoot, "*.finalizing", SearchOption.AllDirectories).Count()} |
            | containers left over | {containers} |
            | errors in the manager's log | {stage.Managers[0].Errors.Count} |
            """));
        foreach (var error in stage.Managers[0].Errors.GroupBy(error => error))
            Console.WriteLine($"{error.Count()} times {error.Key}");
    }

    /// <summary>Files and folders of sessions, those being deleted included, after up to a minute for the deletion.</summary>
    private static async Task<(long Bytes, int Entries)> LeftAsync(StorageLayout storage, CancellationToken cancellation)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            var sessions = Directory.EnumerateDirectories(storage.TempRoot).SelectMany(Directory.EnumerateFileSystemEntries).ToList();
            if (sessions.Count == 0 || watch.Elapsed > TimeSpan.FromMinutes(1))
            {
                var files = sessions.Where(Directory.Exists).SelectMany(path => new DirectoryInfo(path).EnumerateFiles("*", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 10 })).ToList();
                return (files.Sum(file => file.Length), sessions.Count + files.Count);
            }

            await Task.Delay(ProbeInterval, TimeProvider.System, cancellation);
        }
    }

    private static async Task<string> HealthAsync(SoakManager manager, CancellationToken cancellation)
    {
        using var response = await manager.Api.GetAsync(new Uri("/health", UriKind.Relative), cancellation);
        return await response.Content.ReadAsStringAsync(cancellation);
    }
}
