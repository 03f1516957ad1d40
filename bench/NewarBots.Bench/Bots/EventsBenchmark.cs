using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.ServerSentEvents;
using System.Text.Json;
using NewarBots.Contract;
using StackExchange.Redis;

namespace NewarBots.Bench.Bots;

/// <summary>
/// Holds many event streams open while bots speak, and measures from a bot's word in Redis to its arrival at each listener. What
/// recorders would say is said here; the listeners share the machine with the manager.
/// </summary>
internal sealed class EventsBenchmark : Benchmark
{
    private const string NoEngine = "unix:///nonexistent/docker.sock";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<(string Bot, int Chunks), long> _said = new();

    public override string Name => "events";

    public override string Summary => "streams=500 bots=50 seconds=20: a bot's word reaches every event stream in (goal: all within 200 ms)";

    public override async Task RunAsync(Arguments arguments, CancellationToken cancellation)
    {
        var streams = arguments.Int("streams", 500);
        var bots = arguments.Int("bots", 50);
        var seconds = arguments.Int("seconds", 20);
        MachineLoad.Print("before");
        Console.WriteLine($"{"milliseconds",-44}{"p50",8}{"p99",8}{"max",8}{"events",10}");
        await MeasureAsync($"{streams} streams, each of one of {bots} bots", (ids, stream) => $"/bots/{ids[stream % ids.Count]}/events", listenersOfOne: streams / bots);
        await MeasureAsync($"{streams} streams of all {bots} bots", (_, _) => "/bots/events", listenersOfOne: streams);
        MachineLoad.Print("after");

        async Task MeasureAsync(string what, Func<IReadOnlyList<string>, int, string> path, int listenersOfOne)
        {
            await using var manager = await RunningManager.StartAsync([("DOCKER_HOST", NoEngine), ("ASPNETCORE_ENVIRONMENT", "Production")], cancellation, withKey: true);
            await using var redis = await ConnectionMultiplexer.ConnectAsync(manager.Redis);
            var ids = new List<string>();
            for (var bot = 0; bot < bots; bot++)
                ids.Add(await manager.SendAsync($"https://meet.google.com/abc-{(char)('a' + bot / 26)}{(char)('a' + bot % 26)}aa-xyz", cancellation));
            _said.Clear();
            using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            var figures = new Figures();
            var open = new CountdownEvent(streams);
            var listening = Enumerable.Range(0, streams).Select(stream => ListenAsync(manager.Api, path(ids, stream), open, figures, end.Token)).ToList();
            await Wait.ForAsync(() => Task.FromResult<object?>(open.IsSet ? open : null), "all streams are open", Patience, cancellation);

            // Every bot speaks every five seconds, as a recorder does, and not all at once.
            var words = seconds * bots / 5;
            for (var word = 0; word < words; word++)
            {
                await SayAsync(redis, ids[word % bots], word, cancellation);
                await Task.Delay(TimeSpan.FromSeconds(5.0 / bots), TimeProvider.System, cancellation);
            }

            var expected = words * listenersOfOne;
            await Wait.ForAsync(() => Task.FromResult<object?>(Count(figures) >= expected ? figures : null), $"all {expected} events have come", Patience, cancellation);
            await end.CancelAsync();
            await Task.WhenAll(listening);
            Console.WriteLine($"{what,-44}{figures.Median,8:0.0}{figures.Percentile(99),8:0.0}{figures.Percentile(100),8:0.0}{Count(figures),10}");
        }
    }

    private static int Count(Figures figures)
    {
        lock (figures)
            return figures.Count;
    }

    private async Task ListenAsync(HttpClient api, string path, CountdownEvent open, Figures figures, CancellationToken cancellation)
    {
        try
        {
            await using var body = await api.GetStreamAsync(new Uri(path, UriKind.Relative), cancellation);
            open.Signal();
            await foreach (var item in SseParser.Create(body).EnumerateAsync(cancellation))
            {
                using var json = JsonDocument.Parse(item.Data);
                var bot = (json.RootElement.TryGetProperty("sessionId", out var id) ? id : json.RootElement.GetProperty("id")).GetString()!;
                if (!json.RootElement.TryGetProperty("chunks", out var chunks) || !_said.TryGetValue((bot, chunks.GetInt32()), out var saidAt))
                    continue;
                var milliseconds = Stopwatch.GetElapsedTime(saidAt).TotalMilliseconds;
                lock (figures)
                    figures.Add(milliseconds);
            }
        }
        catch (OperationCanceledException)
        {
            // The measurement is over.
        }
    }

    private async Task SayAsync(ConnectionMultiplexer redis, string bot, int word, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var id = SessionId.Parse(bot);
        var chunks = word + 1;
        var message = JsonSerializer.Serialize(
            new StatusMessage(id, BotStatus.Recording, TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(), StatusSequence.FirstOfRecorder + word, Chunks: chunks),
            ContractJson.Default.StatusMessage);
        _said[(bot, chunks)] = Stopwatch.GetTimestamp();
        await redis.GetDatabase().StreamAddAsync(RedisNames.EventStream(id), RedisNames.MessageField, message);
        await redis.GetSubscriber().PublishAsync(RedisChannel.Literal(RedisNames.StatusChannel(id)), message);
    }
}
