using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace NewarBots.Bench;

/// <summary>
/// Posts bots to the real manager with a real Redis. Without a Docker engine they stay queued, so starting containers does not affect the
/// response times.
/// </summary>
internal sealed class PostBenchmark : Benchmark
{
    private const int WarmUp = 50;
    private const string NoEngine = "unix:///nonexistent/docker.sock";

    private int _sent;

    public override string Name => "post";

    public override string Summary => "requests=500 concurrency=8 rate=50 seconds=60: response time of POST /bots (goal: p99 under 20 ms, none lost)";

    public override async Task RunAsync(Arguments arguments, CancellationToken cancellation)
    {
        var requests = arguments.Int("requests", 500);
        var concurrency = arguments.Int("concurrency", 8);
        PrintLoad("before");
        Console.WriteLine($"{"milliseconds",-44}{"p50",8}{"p99",8}{"max",8}");
        foreach (var parallel in (int[])[1, concurrency])
        {
            // A new manager each time, because the previous bots would still be queued.
            await using var manager = await StartAsync(cancellation);
            var first = (await SendAsync(manager.Api, cancellation)).Milliseconds;
            await MeasureAsync(manager.Api, WarmUp, parallel, cancellation);
            var figures = await MeasureAsync(manager.Api, requests, parallel, cancellation);
            Console.WriteLine($"{$"{requests} requests, {parallel} at a time",-44}{figures.Median,8:0.0}{figures.Percentile(99),8:0.0}{figures.Percentile(100),8:0.0}");
            Console.WriteLine($"{"first request of a new manager",-44}{first,8:0.0}");
        }

        await MeasureRateAsync(arguments.Int("rate", 50), arguments.Int("seconds", 60), cancellation);
        PrintLoad("after");
    }

    private static Task<RunningManager> StartAsync(CancellationToken cancellation) => RunningManager.StartAsync(
        [("Launching__DockerHost", NoEngine), ("Launching__MaxConcurrentBots", "1"), ("Launching__MaxQueuedBots", "1000000"), ("ASPNETCORE_ENVIRONMENT", "Production")],
        cancellation,
        withKey: true);

    /// <summary>Posts at a fixed rate without waiting for responses, then checks that every accepted bot is listed.</summary>
    private async Task MeasureRateAsync(int rate, int seconds, CancellationToken cancellation)
    {
        await using var manager = await StartAsync(cancellation);
        await MeasureAsync(manager.Api, WarmUp, parallel: 1, cancellation);
        var sending = new List<Task<(double Milliseconds, string Id)>>();
        var begun = Stopwatch.GetTimestamp();
        for (var number = 0; number < rate * seconds; number++)
        {
            var early = TimeSpan.FromSeconds((double)number / rate) - Stopwatch.GetElapsedTime(begun);
            if (early > TimeSpan.Zero)
                await Task.Delay(early, TimeProvider.System, cancellation);
            sending.Add(SendAsync(manager.Api, cancellation));
        }

        var figures = new Figures();
        var accepted = await Task.WhenAll(sending);
        foreach (var (milliseconds, _) in accepted)
            figures.Add(milliseconds);
        var listed = await ListAsync(manager.Api, cancellation);
        Console.WriteLine($"{$"{accepted.Length} requests, {rate} per second",-44}{figures.Median,8:0.0}{figures.Percentile(99),8:0.0}{figures.Percentile(100),8:0.0}");
        Console.WriteLine($"{"accepted but not listed",-44}{accepted.Count(bot => !listed.Contains(bot.Id)),8}");
    }

    private static async Task<HashSet<string>> ListAsync(HttpClient api, CancellationToken cancellation)
    {
        var ids = new HashSet<string>();
        var cursor = string.Empty;
        while (true)
        {
            var page = (await api.GetFromJsonAsync<JsonNode>($"/bots?limit=200{cursor}", cancellation))!;
            ids.UnionWith(page["items"]!.AsArray().Select(bot => (string)bot!["id"]!));
            if (page["nextCursor"] is not { } next)
                return ids;
            cursor = $"&cursor={next}";
        }
    }

    private async Task<Figures> MeasureAsync(HttpClient api, int requests, int parallel, CancellationToken cancellation)
    {
        var figures = new Figures();
        await Parallel.ForAsync(0, requests, new ParallelOptions { MaxDegreeOfParallelism = parallel, CancellationToken = cancellation }, async (_, token) =>
        {
            var (milliseconds, _) = await SendAsync(api, token);
            lock (figures)
                figures.Add(milliseconds);
        });
        return figures;
    }

    private async Task<(double Milliseconds, string Id)> SendAsync(HttpClient api, CancellationToken cancellation)
    {
        var meetingUrl = MeetingUrl(Interlocked.Increment(ref _sent));
        var watch = Stopwatch.StartNew();
        using var response = await api.PostAsJsonAsync("/bots", new { meetingUrl }, cancellation);
        var milliseconds = watch.Elapsed.TotalMilliseconds;
        response.EnsureSuccessStatusCode();
        return (milliseconds, (string)(await response.Content.ReadFromJsonAsync<JsonNode>(cancellation))!["id"]!);
    }

    /// <summary>Each number a meeting of its own: a second bot for the same one would be refused.</summary>
    private static string MeetingUrl(int number)
    {
        var letters = new string([.. Enumerable.Range(0, 4).Select(place => (char)('a' + (number / (int)Math.Pow(26, place) % 26)))]);
        return $"https://meet.google.com/abc-{letters}-xyz";
    }
}
