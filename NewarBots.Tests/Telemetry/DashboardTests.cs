using System.Globalization;
using NewarBots.Tests.Fixtures;
using NewarBots.Tests.Lives;

namespace NewarBots.Tests.Telemetry;

/// <summary>What the real dashboard shows of a real bot.</summary>
[Collection(AloneOnTheMachine.Name)]
[Trait("Suite", "Long")]
public sealed class DashboardTests
{
    private const string Manager = "NewarBots.Manager";
    private const string Recorder = "NewarBots.Recorder";

    /// <summary>What has ended is exported within 5 s.</summary>
    private static readonly TimeSpan ExportPatience = TimeSpan.FromSeconds(15);

    [Fact]
    public async Task One_trace_holds_a_bots_whole_life_in_both_processes_even_where_the_manager_is_started_anew_meanwhile()
    {
        var bridge = await DockerCli.BridgeAddressAsync();
        await using var dashboard = await AspireDashboard.StartAsync(otlpHost: bridge);
        await using var redis = await RedisServer.RunAsync(bridge);
        await using var manager = await ManagerProcess.StartAsync(redis.Configuration, ("OTEL_EXPORTER_OTLP_ENDPOINT", dashboard.OtlpEndpoint));

        var id = await manager.RecordAsync(manager.Rehearsal("participants=2&admitAfter=2&duration=30"));
        await manager.UntilAsync(id, TimeSpan.FromSeconds(60), "recording");
        // Nothing waits for the end of the meeting.
        await Eventually.TrueAsync(async () => (await TraceOfAsync(id)).Any(span => span.Name == "recording start"), ExportPatience);
        Assert.Equal("recording", (string?)(await manager.GetAsync($"/bots/{id}")).Body!["status"]);
        await manager.TerminateAsync();
        await manager.StartAsync();
        await manager.UntilAsync(id, TimeSpan.FromSeconds(90), "completed");
        await Eventually.TrueAsync(async () => (await TraceOfAsync(id)).Any(span => span.Name == "bot end"), ExportPatience);

        var trace = await TraceOfAsync(id);
        Assert.Equal(
            """
            POST /bots/ (Manager)
              bot queue (Manager)
              bot launch (Manager)
                container create (Manager)
                container start (Manager)
                recorder start (Recorder)
                  display start (Recorder)
                  driver start (Recorder)
                  browser launch (Recorder)
                join (Recorder)
                  page open (Recorder)
                  admission wait (Recorder)
                recording start (Recorder)
                leave (Recorder)
              bot end (Manager)
                recording finalize (Manager)
                  chunks read (Manager)
                  recording concatenate (Manager)
                  recording verify (Manager)
                  recording seal (Manager)
                  recording publish (Manager)
              bot remove (Manager)
            """,
            string.Join('\n', Tree(trace, parent: null, depth: 0)),
            ignoreLineEndingDifferences: true);
        // Whatever is in the trace is in the tree: no orphan, and the manager's part is the bot's alone.
        Assert.Equal(trace.Count, Tree(trace, parent: null, depth: 0).Count());

        var logs = await dashboard.LogsAsync();
        var ofRecorder = logs.Where(log => log.Service == Recorder).ToList();
        Assert.NotEmpty(ofRecorder);
        Assert.All(ofRecorder, log => Assert.Equal(trace[0].TraceId, log.TraceId));
        Assert.Contains(logs, log => log.Service == Manager && log.TraceId == trace[0].TraceId && log.Message.StartsWith("Launched bot", StringComparison.Ordinal));

        async Task<IReadOnlyList<DashboardSpan>> TraceOfAsync(string bot)
        {
            var spans = await dashboard.SpansAsync();
            var asked = spans.SingleOrDefault(span => span.Name.StartsWith("POST", StringComparison.Ordinal) && span.Attributes.GetValueOrDefault("newarbots.bot.id") == bot);
            return [.. spans.Where(span => span.TraceId == asked?.TraceId).OrderBy(span => span.StartedAt)];
        }
    }

    private static IEnumerable<string> Tree(IReadOnlyList<DashboardSpan> trace, string? parent, int depth) =>
        from span in trace
        where span.ParentId == parent
        from line in Tree(trace, span.Id, depth + 1)
            .Prepend(string.Create(CultureInfo.InvariantCulture, $"{new string(' ', 2 * depth)}{span.Name} ({span.Service["NewarBots.".Length..]})"))
        select line;
}
