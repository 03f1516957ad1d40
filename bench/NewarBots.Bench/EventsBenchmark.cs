using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.ServerSentEvents;
using System.Text.Json;
using NewarBots.Contract;
using StackExchange.Redis;

namespace NewarBots.Bench;

/// <summary>
/// Opens many event streams and measures the time from a status message to its arrival at each client. The benchmark writes the
/// messages in place of recorders, to the journal and the channel. The clients share the machine with the manager.
/// </summary>
internal sealed class EventsBenchmark : Benchmark
{
    private const string NoEngine = "unix:///nonexistent/docker.sock";

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<(string Bot, int Chunks), long> _published = new();

    public override string Name => "events";

    public override string Summary => "streams=500 bots=50 seconds=20: delay of a status message on every event stream (goal: all within 200 ms)";

    public override async Task RunAsync(Arguments arguments, CancellationToken cancellation)
    {
        var streams = arguments.Int("streams", 500);
        var bots = arguments.Int("bots", 50);
        var seconds = arguments.Int("seconds", 20);
        PrintLoad("before");
        Console.WriteLine($"{"milliseconds",-44}{"p50",8}{"p99",8}{"max",8}{"events",10}");
        await MeasureAsync($"{streams} streams, each of one of {bots} bots", (ids, stream) => $"/bots/{ids[stream % ids.Count]}/events", listenersOfOne: streams / bots);
        await MeasureAsync($"{streams} streams of all {bots} bots", (_, _) => "/bots/events", listenersOfOne: streams);
        PrintLoad("after");

        async Task MeasureAsync(string label, Func<IReadOnlyList<string>, int, string> path, int listenersOfOne)
        {
            await using var manager = await RunningManager.StartAsync([("DOCKER_HOST", NoEngine), ("ASPNETCORE_ENVIRONMENT", "Production")], cancellation, withKey: true);
            await using var redis = await ConnectionMultiplexer.ConnectAsync(manager.Redis);
            var ids = new List<string>();
            for (var bot = 0; bot < bots; bot++)
                ids.Add(await manager.SendAsync($"https://meet.google.com/abc-{(char)('a' + bot / 26)}{(char)('a' + bot % 26)}aa-xyz", cancellation));
            _published.Clear();
            using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            var figures = new Figures();
            var open = new CountdownEvent(streams);
            var listening = Enumerable.Range(0, streams).Select(stream => ListenAsync(manager.Api, path(ids, stream), open, figures, end.Token)).ToList();
            await Wait.ForAsync(() => Task.FromResult<object?>(open.IsSet ? open : null), "all streams are open", Timeout, cancellation);

            // Each bot publishes every five seconds, like a recorder, at evenly spread times.
            var messages = seconds * bots / 5;
            for (var message = 0; message < messages; message++)
            {
                await PublishAsync(redis, manager.Storage, ids[message % bots], message, cancellation);
                await Task.Delay(TimeSpan.FromSeconds(5.0 / bots), TimeProvider.System, cancellation);
            }

            var expected = messages * listenersOfOne;
            await Wait.ForAsync(() => Task.FromResult<object?>(Count(figures) >= expected ? figures : null), $"all {expected} events have arrived", Timeout, cancellation);
            await end.CancelAsync();
            await Task.WhenAll(listening);
            Console.WriteLine($"{label,-44}{figures.Median,8:0.0}{figures.Percentile(99),8:0.0}{figures.Percentile(100),8:0.0}{Count(figures),10}");
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
                if (!json.RootElement.TryGetProperty("chunks", out var chunks) || !_published.TryGetValue((bot, chunks.GetInt32()), out var publishedAt))
                    continue;
                var milliseconds = Stopwatch.GetElapsedTime(publishedAt).TotalMilliseconds;
                lock (figures)
                    figures.Add(milliseconds);
            }
        }
        catch (OperationCanceledException)
        {
            // The measurement has ended.
        }
    }

    private async Task PublishAsync(ConnectionMultiplexer redis, string storage, string bot, int number, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var id = SessionId.Parse(bot);
        var chunks = number + 1;
        var message = new StatusMessage(
            id, BotStatus.Recording, TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(), StatusSequence.FirstOfRecorder + number, Chunks: chunks);
        _published[(bot, chunks)] = Stopwatch.GetTimestamp();
        var folder = new StorageLayout(storage).SessionFolder(UserId.Default, id);
        Directory.CreateDirectory(folder);
        await File.AppendAllTextAsync(Path.Combine(folder, Journal.FileName), Journal.Format(new(Status: message)) + "\n", cancellation);
        await redis.GetSubscriber().PublishAsync(
            RedisChannel.Literal(RedisNames.StatusChannel(id)), JsonSerializer.Serialize(message, ContractJson.Default.StatusMessage));
    }
}
