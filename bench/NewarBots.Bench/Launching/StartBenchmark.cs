using System.Text.Json.Nodes;

namespace NewarBots.Bench.Launching;

/// <summary>
/// From POST to <c>recording</c>, each bot in a fresh container that nothing keeps warm, one after the other. The steps are
/// those that the manager, the engine and the recorder tell of; each begins where the one before ends, so that they add up.
/// </summary>
internal sealed class StartBenchmark : Benchmark
{
    private static readonly TimeSpan SpansCome = TimeSpan.FromSeconds(20);

    private readonly Dictionary<string, Figures> _steps = [];

    public override string Name => "start";

    public override string Summary => "runs=5 browser=headed: POST to recording, on a rehearsal that lets everyone in at once, step by step (goal: under 3.5 s)";

    public override async Task RunAsync(Arguments arguments, CancellationToken cancellation)
    {
        var runs = arguments.Int("runs", 5);
        await using var spans = await SpanReceiver.StartAsync(cancellation);
        await using var manager = await RunningManager.StartAsync(
            [
                ("OTEL_EXPORTER_OTLP_ENDPOINT", spans.Address), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
                ("Joining__Browser", arguments.Text("browser", "headed")),
            ],
            cancellation);
        using var docker = new Docker();

        MachineLoad.Print("before");
        var first = await StartAsync(manager, docker, spans, cancellation);
        Console.WriteLine($"first bot of a fresh manager: {first:0.00} s");
        _steps.Clear();
        var totals = new Figures();
        for (var run = 0; run < runs; run++)
            totals.Add(await StartAsync(manager, docker, spans, cancellation));

        Console.WriteLine($"\n{$"seconds, {runs} bots",-52}{"median",9}   {"min",9} .. max");
        foreach (var (step, figures) in _steps)
            Console.WriteLine($"{step,-52}{figures}");
        Console.WriteLine($"{"POST to recording",-52}{totals}");
        MachineLoad.Print("after");
    }

    /// <returns>Seconds.</returns>
    private async Task<double> StartAsync(RunningManager manager, Docker docker, SpanReceiver spans, CancellationToken cancellation)
    {
        var sent = TimeProvider.System.GetUtcNow();
        var id = await manager.SendAsync($"{manager.Address}rehearsal/abc-defg-hij?participants=3&admitAfter=0", cancellation);
        await manager.UntilAsync(id, cancellation, "recording");
        var seen = TimeProvider.System.GetUtcNow();
        var made = await EventAsync("create");
        var started = await EventAsync("start");
        await manager.EndAsync(id, cancellation);

        var launch = await SpanAsync("bot launch");
        var whole = await SpanAsync("recorder start");
        var driver = await SpanAsync("driver start");
        var browser = await SpanAsync("browser launch");
        var open = await SpanAsync("page open");
        var join = await SpanAsync("join");
        var capture = await SpanAsync("recording start");

        var at = sent;
        Step("accepted, launch begins", launch.Start);
        Step("prepared, container made", made);
        Step("container started", started);
        Step("recorder's process runs, says joining", whole.Start);
        Step("display and Playwright's driver start", browser.Start);
        Step("browser starts", browser.End);
        Step("ear put into the page", open.Start);
        Step("page opens", open.End);
        Step("joined: name, buttons, let in", join.End);
        Step("capture starts", capture.End);
        Step("the API says recording", seen);
        if (spans.Of(id).FirstOrDefault(span => span.Name == "display start") is { } display)
            Add("  thereof, side by side: display", (display.End - display.Start).TotalSeconds);
        Add("  thereof, side by side: Playwright's driver", (driver.End - driver.Start).TotalSeconds);
        return (seen - sent).TotalSeconds;

        void Step(string name, DateTimeOffset end)
        {
            Add(name, (end - at).TotalSeconds);
            at = end;
        }

        async Task<Span> SpanAsync(string name) => await Wait.ForAsync(
            () => Task.FromResult(spans.Of(id).FirstOrDefault(span => span.Name == name)), $"the span '{name}'", SpansCome, cancellation);

        async Task<DateTimeOffset> EventAsync(string action)
        {
            var filters = new JsonObject { ["container"] = new JsonArray($"newar-bot-{id}"), ["event"] = new JsonArray(action) };
            var answer = await docker.GetTextAsync(
                $"/events?since={sent.ToUnixTimeSeconds()}&until={seen.ToUnixTimeSeconds() + 1}&filters={Uri.EscapeDataString(filters.ToJsonString())}",
                cancellation);
            var nanoseconds = (long)JsonNode.Parse(answer.Split('\n')[0])!["timeNano"]!;
            return DateTimeOffset.UnixEpoch.AddTicks(nanoseconds / 100);
        }
    }

    private void Add(string step, double seconds)
    {
        if (!_steps.TryGetValue(step, out var figures))
            _steps[step] = figures = new();
        figures.Add(seconds);
    }
}
