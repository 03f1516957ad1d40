using System.Globalization;
using NewarBots.Tests.Fixtures;
using NewarBots.Tests.Lives;

namespace NewarBots.Tests.Telemetry;

/// <summary>Runs real bots and checks their traces and logs in the real Aspire dashboard.</summary>
[Trait(LifeTests.Group, LifeTests.Name)]
[Trait("Suite", "Long")]
public sealed class DashboardTests(WatchedManager watched) : IClassFixture<WatchedManager>
{
    private const string Manager = "NewarBots.Manager";
    private const string Recorder = "newar-bot";

    [Fact]
    public async Task One_trace_contains_all_steps_of_a_bot_in_both_processes_even_if_the_manager_restarts()
    {
        var manager = watched.Manager;
        var id = await manager.RecordAsync(manager.Rehearsal("participants=2&admitAfter=2&duration=30"));
        await manager.UntilAsync(id, TimeSpan.FromSeconds(60), "recording");
        // Spans are exported during the meeting, not at its end.
        await watched.TraceWithAsync("recording start", id);
        Assert.Equal("recording", (string?)(await manager.GetAsync($"/bots/{id}")).Body!["status"]);
        await manager.TerminateAsync();
        await manager.StartAsync();
        await manager.UntilAsync(id, TimeSpan.FromSeconds(90), "completed");

        var trace = await watched.TraceWithAsync("bot end", id);
        Assert.Equal(
            """
            record meeting (NewarBots.Manager)
              bot queue (NewarBots.Manager)
              bot launch (NewarBots.Manager)
                container create (NewarBots.Manager)
                container start (NewarBots.Manager)
                recorder start (newar-bot)
                  display start (newar-bot)
                  driver start (newar-bot)
                  browser launch (newar-bot)
                join (newar-bot)
                  page open (newar-bot)
                  admission wait (newar-bot)
                recording start (newar-bot)
                leave (newar-bot)
              bot end (NewarBots.Manager)
                recording finalize (NewarBots.Manager)
                  chunks read (NewarBots.Manager)
                  recording concatenate (NewarBots.Manager)
                  recording verify (NewarBots.Manager)
                  recording seal (NewarBots.Manager)
                  recording publish (NewarBots.Manager)
              bot remove (NewarBots.Manager)
            """,
            string.Join('\n', Tree(trace, parent: null, depth: 0)),
            ignoreLineEndingDifferences: true);
        // The tree contains every span of the trace, so there are no orphans and no unrelated spans.
        Assert.Equal(trace.Count, Tree(trace, parent: null, depth: 0).Count());

        Assert.DoesNotContain(trace, span => span.IsError);
        Assert.All(trace, span => Assert.Equal(id, span.Attributes.GetValueOrDefault("newarbots.session")));
        Assert.All(trace.Where(span => span.Service == Recorder), span => Assert.Equal(id, span.Instance));

        var logs = (await watched.Dashboard.LogsAsync()).Where(log => log.TraceId == trace[0].TraceId).ToList();
        Assert.Contains(logs, log => log.Service == Manager && log.Message.StartsWith("Launched bot", StringComparison.Ordinal));
        // Also between the spans, from the first log line to the last.
        Assert.Contains(logs, log => log.Service == Recorder && log.Message.StartsWith("Status Joining", StringComparison.Ordinal));
        Assert.Contains(logs, log => log.Service == Recorder && log.Message.StartsWith("Status Recording", StringComparison.Ordinal));
        Assert.Contains(logs, log => log.Service == Recorder && log.Message.StartsWith("Status Leaving", StringComparison.Ordinal));
        Assert.DoesNotContain(await watched.Dashboard.LogsAsync(), log => log.Service == Recorder && log.TraceId is null or "");
    }

    [Fact]
    public async Task Only_failed_spans_are_errors_and_have_the_reason()
    {
        var id = await watched.Manager.RecordAsync(watched.Manager.Rehearsal("scenario=denied"), userId: "bert");
        await watched.Manager.UntilAsync(id, TimeSpan.FromSeconds(90), "failed");

        var trace = await watched.TraceWithAsync("bot end", id);
        Assert.Equal(
            [("join", "denied_by_host"), ("bot end", "denied_by_host")],
            trace.Where(span => span.IsError).Select(span => (span.Name, span.Attributes["error.type"])));
    }

    private static IEnumerable<string> Tree(IReadOnlyList<DashboardSpan> trace, string? parent, int depth) =>
        from span in trace
        where span.ParentId == parent
        from line in Tree(trace, span.Id, depth + 1)
            .Prepend(string.Create(CultureInfo.InvariantCulture, $"{new string(' ', 2 * depth)}{span.Name} ({span.Service})"))
        select line;
}
