using System.Text.Json.Nodes;

namespace NewarBots.Bench;

/// <summary>
/// Measures from POST to <c>recording</c>, one bot after the other, each in a new container. Timestamps come from the Docker engine's
/// events and the bot itself. Each step begins when the previous one ends, so they add up to the total.
/// </summary>
internal sealed class StartBenchmark : Benchmark
{
    private readonly Dictionary<string, Figures> _steps = [];

    public override string Name => "start";

    public override string Summary => "runs=5 browser=headed: POST to recording, in a rehearsal that admits everyone at once, by step (goal: under 3.5 s)";

    public override async Task RunAsync(Arguments arguments, CancellationToken cancellation)
    {
        var runs = arguments.Int("runs", 5);
        await using var manager = await RunningManager.StartAsync([("Joining__Browser", arguments.Text("browser", "headed"))], cancellation);
        using var docker = new Docker();

        PrintLoad("before");
        await StartAsync(manager, docker, cancellation);
        Console.WriteLine($"first bot of a new manager: {_steps.Values.Last().Median:0.00} s");
        _steps.Clear();
        for (var run = 0; run < runs; run++)
            await StartAsync(manager, docker, cancellation);

        Console.WriteLine($"\n{$"seconds, {runs} bots",-44}{"median",9}   {"min",9} .. max");
        foreach (var (step, figures) in _steps)
            Console.WriteLine($"{step,-44}{figures}");
        PrintLoad("after");
    }

    private async Task StartAsync(RunningManager manager, Docker docker, CancellationToken cancellation)
    {
        var posted = TimeProvider.System.GetUtcNow();
        var id = await manager.SendAsync($"{manager.Address}rehearsal/abc-defg-hij?participants=3&admitAfter=0", cancellation);
        var bot = await manager.UntilAsync(id, cancellation, "recording");
        var seen = TimeProvider.System.GetUtcNow();
        var created = await EventAsync("create");
        var started = await EventAsync("start");
        await manager.EndAsync(id, cancellation);

        var previous = posted;
        Step("bot accepted, container created", created);
        Step("container started", started);
        Step("recorder runs, reports joining", (DateTimeOffset)bot["joiningAt"]!);
        Step("browser started, meeting joined", (DateTimeOffset)bot["recordingAt"]!);
        Step("API reports recording", seen);
        Add("POST to recording", seen - posted);

        void Step(string name, DateTimeOffset end)
        {
            Add(name, end - previous);
            previous = end;
        }

        async Task<DateTimeOffset> EventAsync(string action)
        {
            var filters = new JsonObject { ["container"] = new JsonArray($"newar-bot-{id}"), ["event"] = new JsonArray(action) };
            var answer = await docker.GetTextAsync(
                $"/events?since={posted.ToUnixTimeSeconds()}&until={seen.ToUnixTimeSeconds() + 1}&filters={Uri.EscapeDataString(filters.ToJsonString())}",
                cancellation);
            var nanoseconds = (long)JsonNode.Parse(answer.Split('\n')[0])!["timeNano"]!;
            return DateTimeOffset.UnixEpoch.AddTicks(nanoseconds / 100);
        }
    }

    private void Add(string step, TimeSpan duration)
    {
        if (!_steps.TryGetValue(step, out var figures))
            _steps[step] = figures = new();
        figures.Add(duration.TotalSeconds);
    }
}
