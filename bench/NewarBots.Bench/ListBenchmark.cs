using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Webhooks;
using StackExchange.Redis;

namespace NewarBots.Bench;

/// <summary>Requests pages of thousands of finished bots from the real manager, one request at a time.</summary>
internal sealed class ListBenchmark : Benchmark
{
    private const int WarmUp = 20;
    private const string NoEngine = "unix:///nonexistent/docker.sock";

    /// <summary>No filter, and filters that match many, few and no bots.</summary>
    private static readonly string[] Paths =
    [
        "/bots", "/bots?limit=200", "/bots?userId=user-7", "/bots?status=completed", "/bots?status=failed", "/bots?status=recording",
        "/bots?status=completed&userId=user-7", "/bots?sort=activity", "/bots?sort=longest&status=completed&status=failed",
        "/bots?q=notes", "/bots?q=bench-4711", "/bots?q=nowhere", "/bots?metadata.case=4711", "/bots?meetingUrl=https://meet.google.com/bench-4711",
    ];

    private const int FailedAmongBots = 500;

    public override string Name => "list";

    public override string Summary => "bots=10000 requests=300: response time of GET /bots with that many finished bots (goal: p99 under 30 ms)";

    public override async Task RunAsync(Arguments arguments, CancellationToken cancellation)
    {
        var bots = arguments.Int("bots", 10_000);
        var requests = arguments.Int("requests", 300);
        PrintLoad("before");
        await using var manager = await RunningManager.StartAsync(
            [("DOCKER_HOST", NoEngine), ("Launching__MaxConcurrentBots", "1"), ("ASPNETCORE_ENVIRONMENT", "Production")], cancellation, withKey: true);
        await FillAsync(manager.Redis, bots, cancellation);
        Console.WriteLine($"{$"milliseconds, {bots} bots",-44}{"p50",8}{"p99",8}{"max",8}");
        foreach (var path in Paths)
        {
            var figures = new Figures();
            for (var request = -WarmUp; request < requests; request++)
            {
                var watch = Stopwatch.StartNew();
                using var response = await manager.Api.GetAsync(new Uri(path, UriKind.Relative), cancellation);
                var milliseconds = watch.Elapsed.TotalMilliseconds;
                response.EnsureSuccessStatusCode();
                if (request >= 0)
                    figures.Add(milliseconds);
            }

            Console.WriteLine($"{path,-44}{figures.Median,8:0.0}{figures.Percentile(99),8:0.0}{figures.Percentile(100),8:0.0}");
        }

        PrintLoad("after");
    }

    /// <summary>Writes finished bots directly to the store.</summary>
    private static async Task FillAsync(string redis, int bots, CancellationToken cancellation)
    {
        await using var connection = await ConnectionMultiplexer.ConnectAsync(redis);
        await using var services = new ServiceCollection().AddMetrics().AddSingleton<BotMetrics>().BuildServiceProvider();
        var webhooks = new WebhookFiles(new StorageLayout(Path.GetTempPath()), TimeProvider.System, NullLogger<WebhookFiles>.Instance);
        var records = new BotRecords(connection, NullLogger<BotRecords>.Instance);
        var commands = new BotCommands(
            records, services.GetRequiredService<BotMetrics>(), new WebhookOutbox(webhooks, TimeProvider.System), TimeProvider.System);
        await Parallel.ForAsync(0, bots, cancellation, async (number, _) =>
        {
            var bot = new Bot
            {
                Id = SessionId.New(TimeProvider.System),
                UserId = UserId.Parse($"user-{number % 100}", provider: null),
                Status = BotStatus.Queued,
                MeetingUrl = new($"https://meet.google.com/bench-{number}"),
                Platform = Platform.GoogleMeet,
                BotName = "Notes",
                Leave = new(),
                Metadata = new Dictionary<string, string> { ["case"] = $"{number}" },
                CreatedAt = TimeProvider.System.GetUtcNow(),
            };
            await commands.CreateAsync(bot, idempotency: null);
            await commands.UpdateAsync(bot.Id, created => number % FailedAmongBots == 0 ? created with
            {
                Status = BotStatus.Failed,
                Reason = EndReason.NobodyJoined,
                EndedAt = TimeProvider.System.GetUtcNow(),
            } : created with
            {
                Status = BotStatus.Completed,
                Reason = EndReason.EveryoneLeft,
                EndedAt = TimeProvider.System.GetUtcNow(),
                Chunks = 180,
                RecordedSeconds = 1800,
                Recording = new("ogg", 5_400_000, 1800, Complete: true),
            });
        });
        // A manager with a Docker engine would mark the records as complete.
        var recovery = new BotRecordRecovery(
            connection, records, new BotQueries(records), TimeProvider.System, NullLogger<BotRecordRecovery>.Instance);
        await recovery.CompleteAsync((await recovery.BeginAsync())!);
    }
}
