using System.Text.Json.Nodes;
using NewarBots.Contract;
using NewarBots.Manager.Rehearsal;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Lives;

/// <summary>Bots in rehearsals, three at a time.</summary>
public sealed class RehearsedBots : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(8);

    private readonly RehearsalRuns<RehearsedBot> _runs;

    public RehearsedBots(RecordingHost host) => _runs = new(concurrency: 3, query => RunAsync(host.Manager, query));

    public void Dispose() => _runs.Dispose();

    /// <param name="query">The rehearsal's parameters.</param>
    internal Task<RehearsedBot> InAsync(string query) => _runs.ResultAsync(query);

    private static async Task<RehearsedBot> RunAsync(ManagerProcess manager, string query)
    {
        var named = NamedScenario.All.SingleOrDefault(one => query == $"scenario={one.Name}");
        var leave = named?.Leave is var (condition, seconds) ? new Dictionary<string, int> { [condition] = seconds } : [];
        if (named is { NeedsEpoch: true })
            query += $"&epoch={TimeProvider.System.GetUtcNow().ToUnixTimeSeconds()}";
        var id = await manager.RecordAsync(manager.Rehearsal(query.Replace(" ", "%20", StringComparison.Ordinal)), leave, userId: "scenarios");
        var bot = await manager.UntilAsync(id, Timeout, WireWord.Of(BotStatus.Completed), WireWord.Of(BotStatus.Failed));
        var log = await manager.Api.GetStringAsync(new Uri($"/bots/{id}/logs", UriKind.Relative));
        var parameters = query.Split('&').Select(part => part.Split('=')).Select(pair => KeyValuePair.Create(pair[0], pair[1]));
        return new(manager, id, RehearsalQuery.Read(parameters).Scenario!, bot, log);
    }
}

/// <summary>A bot that was in a rehearsal.</summary>
internal sealed record RehearsedBot(ManagerProcess Manager, string Id, RehearsalScenario Scenario, JsonNode Bot, string Log)
{
    public async Task<JsonNode> ManifestAsync() => (await Manager.GetAsync($"/bots/{Id}/manifest")).Body!;

    /// <returns>The path of a copy of the recording.</returns>
    public async Task<string> DownloadAsync()
    {
        var path = Path.Combine(Manager.Storage, $"{Id}-downloaded.ogg");
        await File.WriteAllBytesAsync(path, await Manager.Api.GetByteArrayAsync(new Uri($"/bots/{Id}/recording", UriKind.Relative)));
        return path;
    }

    public override string ToString() => $"{Bot}\n--- log of its container:\n{Log}";
}
