using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using NewarBots.Manager.Containers;

namespace NewarBots.Bench;

/// <summary>
/// Runs many bots while managers and recorders are killed at random, then reports the outcome of every bot. Killed recorders are replaced, so
/// that the number of active bots stays the same.
/// </summary>
internal sealed class SoakBenchmark : Benchmark
{
    /// <summary>Seconds of audio that a killed recorder may lose.</summary>
    private const double AllowedLoss = 2;

    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    /// <summary>Downtime during which every recorder publishes at least one message.</summary>
    private static readonly TimeSpan Downtime = TimeSpan.FromSeconds(6);

    private readonly Dictionary<string, DateTimeOffset> _killed = [];
    private readonly Figures _memory = new();
    private readonly Figures _cpu = new();
    private int _sent;
    private int _managersKilled;

    public override string Name => "soak";

    public override string Summary =>
        "bots=50 minutes=10 managers=2 every=10 seed=1: bots with generated audio; a manager or recorder is killed every few seconds (goals: nothing lost, nothing "
        + "missing beyond the last 2 s, no container left over or created twice; at most 150 MB and 3 % of a core per manager; all bots followed within 2 s)";

    public override async Task RunAsync(Arguments arguments, CancellationToken cancellation)
    {
        var (bots, length) = (arguments.Int("bots", 50), TimeSpan.FromMinutes(arguments.Int("minutes", 10)));
        var every = TimeSpan.FromSeconds(arguments.Int("every", 10));
        var random = new Random(arguments.Int("seed", 1));
        PrintLoad("before");
        using var docker = new Docker();
        var since = TimeProvider.System.GetUtcNow();
        await using var stage = await SoakStage.StartAsync(arguments.Int("managers", 2), bots, cancellation);

        var watch = Stopwatch.StartNew();
        await FillUpAsync(stage, bots, cancellation);
        await RecordingAsync(stage.Managers[0], bots, cancellation);
        Console.WriteLine($"{bots} bots are recording {watch.Elapsed.TotalSeconds:0.0} s after the first request");
        await MeasureAsync(stage, "all bots recording, idle", TimeSpan.FromSeconds(15), cancellation);

        watch.Restart();
        for (var kill = 1; watch.Elapsed < length; kill++)
        {
            await MeasureAsync(stage, kill % 6 == 0 ? $"{watch.Elapsed.TotalSeconds:0} s later" : null, every, cancellation);
            if (random.Next(2) == 0)
                await KillRecorderAsync(stage, docker, random, cancellation);
            else
                await KillManagerAsync(stage, random, cancellation);
            await FillUpAsync(stage, bots, cancellation);
        }

        await RecordingAsync(stage.Managers[0], bots, cancellation);
        await RestartAsync(stage, cancellation);
        await EndAllAsync(stage.Managers[0], cancellation);
        await ReportAsync(stage, docker, since, cancellation);
        await MeasureAsync(stage, "all bots have ended", TimeSpan.FromSeconds(15), cancellation);
        PrintLoad("after");
    }

    private async Task FillUpAsync(SoakStage stage, int bots, CancellationToken cancellation)
    {
        // The manager may not have noticed the newest kill yet.
        var active = (await stage.Managers[0].BotsAsync(cancellation)).Count(bot => IsActive(bot) && !_killed.ContainsKey((string)bot["id"]!));
        for (var missing = bots - active; missing > 0; missing--)
        {
            var manager = stage.Managers[missing % stage.Managers.Count];
            // A user can have only one bot per meeting, so each bot has its own user.
            using var response = await manager.Api.PostAsJsonAsync(
                "/bots", new { meetingUrl = "https://meet.google.com/abc-defg-hij?duration=36000", userId = $"soak-{_sent++}" }, cancellation);
            response.EnsureSuccessStatusCode();
        }
    }

    private static bool IsActive(JsonNode bot) => (string)bot["status"]! is not ("completed" or "failed" or "cancelled" or "finalizing");

    private static async Task RecordingAsync(SoakManager manager, int bots, CancellationToken cancellation) => await Wait.ForAsync(
        async () => (await manager.BotsAsync(cancellation)).Count(bot => (string)bot["status"]! == "recording" && (double)bot["recordedSeconds"]! >= 1) >= bots ? manager : null,
        "all bots are recording",
        Timeout,
        cancellation);

    private async Task MeasureAsync(SoakStage stage, string? phase, TimeSpan duration, CancellationToken cancellation)
    {
        var running = stage.Managers.Where(manager => manager.Runs).ToList();
        var before = running.ConvertAll(manager => manager.Measure());
        await Task.Delay(duration, TimeProvider.System, cancellation);
        for (var i = 0; i < running.Count; i++)
        {
            var now = running[i].Measure();
            var percent = 100 * (now.CpuSeconds - before[i].CpuSeconds) / duration.TotalSeconds;
            _memory.Add(now.MiB);
            _cpu.Add(percent);
            if (phase is not null)
                Console.WriteLine($"manager {i}, {phase}: {now.MiB:0} MiB, {percent:0.0} % of a core");
        }
    }

    private async Task KillRecorderAsync(SoakStage stage, Docker docker, Random random, CancellationToken cancellation)
    {
        var recording = (await stage.Managers[0].BotsAsync(cancellation))
            .Where(bot => (string)bot["status"]! == "recording" && !_killed.ContainsKey((string)bot["id"]!))
            .ToList();
        if (recording.Count == 0)
            return;
        var victim = (string)recording[random.Next(recording.Count)]["id"]!;
        await docker.PostAsync($"/containers/newar-bot-{victim}/kill?signal=KILL", body: null, cancellation);
        _killed[victim] = TimeProvider.System.GetUtcNow();
    }

    private async Task KillManagerAsync(SoakStage stage, Random random, CancellationToken cancellation)
    {
        var victim = stage.Managers[random.Next(stage.Managers.Count)];
        victim.Kill();
        _managersKilled++;
        await Task.Delay(random.Next(1, 5) * Second, TimeProvider.System, cancellation);
        await victim.StartAsync(Timeout, cancellation);
    }

    /// <summary>Restarts all managers at the same time, while all bots keep recording.</summary>
    private static async Task RestartAsync(SoakStage stage, CancellationToken cancellation)
    {
        var before = (await stage.Managers[0].BotsAsync(cancellation)).ToDictionary(bot => (string)bot["id"]!, bot => (double)bot["recordedSeconds"]!);
        foreach (var manager in stage.Managers)
            manager.Kill();
        await Task.Delay(Downtime, TimeProvider.System, cancellation);
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(stage.Managers.Select(manager => manager.StartAsync(Timeout, cancellation)));
        var answerAfter = watch.Elapsed;
        await Wait.ForAsync(
            async () => (await stage.Managers[0].BotsAsync(cancellation))
                .Where(bot => (string)bot["status"]! == "recording")
                .All(bot => (double)bot["recordedSeconds"]! > before.GetValueOrDefault((string)bot["id"]!)) ? stage : null,
            "all bots are followed again",
            Timeout,
            cancellation);
        Console.WriteLine($"restart of all managers: they respond after {answerAfter.TotalSeconds:0.0} s and follow all bots {(watch.Elapsed - answerAfter).TotalSeconds:0.0} s later");
    }

    private static async Task EndAllAsync(SoakManager manager, CancellationToken cancellation)
    {
        foreach (var bot in (await manager.BotsAsync(cancellation)).Where(IsActive))
            using (await manager.Api.PostAsync(new Uri($"/bots/{bot["id"]}/stop", UriKind.Relative), content: null, cancellation)) { }
        await Wait.ForAsync(
            async () => (await manager.BotsAsync(cancellation)).All(bot => (string)bot["status"]! is "completed" or "failed" or "cancelled") ? manager : null,
            "all bots have ended",
            Timeout,
            cancellation);
    }

    private async Task ReportAsync(SoakStage stage, Docker docker, DateTimeOffset since, CancellationToken cancellation)
    {
        var bots = await stage.Managers[0].BotsAsync(cancellation);
        var missing = 0.0;
        var finishedAfter = new Figures();
        foreach (var bot in bots)
        {
            if (_killed.TryGetValue((string)bot["id"]!, out var at))
            {
                finishedAfter.Add(((DateTimeOffset)bot["endedAt"]! - at).TotalSeconds);
                missing += Math.Max(0, (at - (DateTimeOffset)bot["recordingAt"]!).TotalSeconds - (double)bot["recordedSeconds"]! - AllowedLoss);
            }
            else if (bot["recording"] is { } recording && !(bool)recording["complete"]!)
                Console.WriteLine($"incomplete, although its recorder was not killed: {bot.ToJsonString()}");
            if (bot["recording"] is null)
                Console.WriteLine($"lost: {bot.ToJsonString()}");
        }

        var filter = Uri.EscapeDataString(new JsonObject
        {
            ["label"] = new JsonArray($"{RecorderLabels.Stack}={stage.Stack}"),
        }.ToJsonString());
        var left = (await docker.GetAsync($"/containers/json?all=true&filters={filter}", cancellation)).AsArray().Count;
        var created = await CreatedAsync(docker, stage.Stack, since, cancellation);
        Console.WriteLine($"""

            bots                                {bots.Count}
            managers killed                     {_managersKilled}
            recorders killed                    {_killed.Count}
            recordings complete                 {bots.Count(bot => bot["recording"] is { } recording && (bool)recording["complete"]!)}
            recordings partial                  {bots.Count(bot => bot["recording"] is { } recording && !(bool)recording["complete"]!)}
            lost                                {bots.Count(bot => bot["recording"] is null)}
            seconds missing beyond the last {AllowedLoss}   {missing:0.0}
            containers left over                {left}
            containers created twice            {created.GroupBy(name => name).Count(group => group.Count() > 1)}
            seconds from kill to finished recording  {finishedAfter}
            errors in manager logs              {stage.Managers.Sum(manager => manager.Errors.Count)}
            memory per manager, MiB             {_memory}
            CPU per manager, % of a core        {_cpu}
            """);
        foreach (var error in stage.Managers.SelectMany(manager => manager.Errors).GroupBy(error => error))
            Console.WriteLine($"{error.Count()} times {error.Key}");
    }

    private static async Task<IReadOnlyList<string>> CreatedAsync(Docker docker, string stack, DateTimeOffset since, CancellationToken cancellation)
    {
        var filter = Uri.EscapeDataString(new JsonObject
        {
            ["type"] = new JsonArray("container"),
            ["event"] = new JsonArray("create"),
            ["label"] = new JsonArray($"{RecorderLabels.Stack}={stack}"),
        }.ToJsonString());
        var until = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() + 1;
        var events = await docker.GetTextAsync($"/events?since={since.ToUnixTimeSeconds()}&until={until}&filters={filter}", cancellation);
        return [.. events.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => (string)JsonNode.Parse(line)!["Actor"]!["Attributes"]!["name"]!)];
    }
}
