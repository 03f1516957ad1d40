using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using NewarBots.Tests.Fixtures;
using NewarBots.Tests.Lives;

namespace NewarBots.Tests.AppHost;

/// <summary>One life of the whole system under the AppHost: orchestrator, dashboard, Redis, manager and a bot in a rehearsal.</summary>
[Trait(LifeTests.Group, LifeTests.Name)]
[Trait("Suite", "Long")]
public sealed class AppHostTraceTests
{
    [Fact]
    public async Task A_rehearsal_is_recorded_while_the_manager_is_killed_and_its_trace_is_in_the_dashboard()
    {
        await using var host = await RunningAppHost.StartAsync(withDashboard: true);
        var record = await host.App.ResourceCommands.ExecuteCommandAsync("manager", "record-rehearsal", host.Deadline);
        Assert.True(record.Success, record.Message);
        var id = record.Message!.Split(' ')[0]["newar-bot-".Length..];
        await UntilAsync(host, id, bot => (double?)bot["recordedSeconds"] >= 2);

        await host.RestartKilledManagerAsync();

        var ended = await UntilAsync(host, id, bot => (string?)bot["status"] is "completed" or "failed");
        Assert.Equal("meeting_ended", (string?)ended["reason"]);
        BusyMachine.AssertOnlyStallsAreMissing(host.Storage, ended);
        using (var audio = await host.Http.GetAsync(new Uri(host.ManagerAddress, $"/bots/{id}/recording"), host.Deadline))
            Assert.Equal("audio/ogg", audio.Content.Headers.ContentType?.MediaType);
        using var dashboard = new DashboardApi(host.App.GetEndpoint("aspire-dashboard", "http"));
        IReadOnlyList<DashboardSpan> trace = [];
        await Eventually.TrueAsync(
            async () => (trace = TraceOf(id, await dashboard.SpansAsync())).Any(span => span.Name == "bot end"), TimeSpan.FromSeconds(20));
        Assert.Equal("record meeting", trace[0].Name);
        Assert.EndsWith($"/traces/detail/{trace[0].TraceId}", (string?)ended["traceUrl"], StringComparison.Ordinal);
        Assert.Contains(trace, span => span is { Name: "recording start", Service: "newar-bot" } && span.Instance == id);
        Assert.Contains(trace, span => span is { Name: "recording publish", Service: "manager" });
        // Polling by the AppHost and by this test makes no traces.
        Assert.DoesNotContain(await dashboard.SpansAsync(), span => span.Name.StartsWith("GET", StringComparison.Ordinal));
        Assert.DoesNotContain(await dashboard.LogsAsync(), log => log.Message.StartsWith("Request ", StringComparison.Ordinal));
    }

    private static IReadOnlyList<DashboardSpan> TraceOf(string id, IReadOnlyList<DashboardSpan> spans)
    {
        var first = spans.FirstOrDefault(span => span.ParentId is null && span.Attributes.GetValueOrDefault("newarbots.session") == id);
        return [.. spans.Where(span => span.TraceId == first?.TraceId).OrderBy(span => span.StartedAt)];
    }

    private static async Task<JsonNode> UntilAsync(RunningAppHost host, string id, Func<JsonNode, bool> condition)
    {
        JsonNode? bot = null;
        await Eventually.TrueAsync(
            async () => condition(bot = (await host.Http.GetFromJsonAsync<JsonNode>(new Uri(host.ManagerAddress, $"/bots/{id}"), host.Deadline))!),
            TimeSpan.FromMinutes(2));
        return bot!;
    }
}
