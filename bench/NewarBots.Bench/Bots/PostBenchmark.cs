using System.Diagnostics;
using System.Net.Http.Json;

namespace NewarBots.Bench.Bots;

/// <summary>
/// Sends bots to the real manager with a real Redis. They stay queued, as no engine is there: what is measured is the answer,
/// and not what the machine does to start containers meanwhile.
/// </summary>
internal sealed class PostBenchmark : Benchmark
{
    private const int WarmUp = 50;
    private const string NoEngine = "unix:///nonexistent/docker.sock";

    private int _sent;

    public override string Name => "post";

    public override string Summary => "requests=500 concurrency=8: POST /bots answered in (goal: p99 under 20 ms)";

    public override async Task RunAsync(Arguments arguments, CancellationToken cancellation)
    {
        var requests = arguments.Int("requests", 500);
        var concurrency = arguments.Int("concurrency", 8);
        MachineLoad.Print("before");
        Console.WriteLine($"{"milliseconds",-44}{"p50",8}{"p99",8}{"max",8}");
        foreach (var abreast in (int[])[1, concurrency])
        {
            // A manager of its own: the bots of the one before would still be queued.
            await using var manager = await RunningManager.StartAsync(
                [("Launching__DockerHost", NoEngine), ("Launching__MaxConcurrentBots", "1"), ("ASPNETCORE_ENVIRONMENT", "Production")], cancellation);
            var first = await TimeAsync(manager.Api, cancellation);
            await MeasureAsync(manager.Api, WarmUp, abreast, cancellation);
            var figures = await MeasureAsync(manager.Api, requests, abreast, cancellation);
            Console.WriteLine($"{$"{requests} requests, {abreast} at a time",-44}{figures.Median,8:0.0}{figures.Percentile(99),8:0.0}{figures.Percentile(100),8:0.0}");
            Console.WriteLine($"{"the very first request of a fresh manager",-44}{first,8:0.0}");
        }

        MachineLoad.Print("after");
    }

    private async Task<Figures> MeasureAsync(HttpClient api, int requests, int abreast, CancellationToken cancellation)
    {
        var figures = new Figures();
        await Parallel.ForAsync(0, requests, new ParallelOptions { MaxDegreeOfParallelism = abreast, CancellationToken = cancellation }, async (_, token) =>
        {
            var milliseconds = await TimeAsync(api, token);
            lock (figures)
                figures.Add(milliseconds);
        });
        return figures;
    }

    private async Task<double> TimeAsync(HttpClient api, CancellationToken cancellation)
    {
        var meetingUrl = MeetingUrl(Interlocked.Increment(ref _sent));
        var watch = Stopwatch.StartNew();
        using var response = await api.PostAsJsonAsync("/bots", new { meetingUrl }, cancellation);
        var milliseconds = watch.Elapsed.TotalMilliseconds;
        response.EnsureSuccessStatusCode();
        return milliseconds;
    }

    /// <summary>Each number a meeting of its own: a second bot for the same one would be refused.</summary>
    private static string MeetingUrl(int number)
    {
        var letters = new string([.. Enumerable.Range(0, 4).Select(place => (char)('a' + (number / (int)Math.Pow(26, place) % 26)))]);
        return $"https://meet.google.com/abc-{letters}-xyz";
    }
}
