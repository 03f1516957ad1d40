using System.Collections.Concurrent;
using System.IO.Compression;
using System.Text.Json.Nodes;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Hosting;
using NewarBots.Manager.Rehearsal;
using NewarBots.Tests.Fixtures;
using Xunit.Sdk;
using Xunit.v3;

namespace NewarBots.Tests.Lives;

/// <summary>
/// Bots in rehearsals, two at a time: as soon as the first test asks for its own, those of all the others begin as well, in
/// their order.
/// </summary>
public sealed class RehearsedBots(RecordingHost host) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(240);

    private readonly SemaphoreSlim _two = new(2);
    private readonly ConcurrentDictionary<string, Lazy<Task<RehearsedBot>>> _runs = new();

    public void Dispose() => _two.Dispose();

    /// <param name="query">The rehearsal's parameters.</param>
    internal Task<RehearsedBot> InAsync(string query)
    {
        foreach (var next in RehearsalOrder.Queries)
            _ = RunOf(next);
        return RunOf(query);
    }

    private Task<RehearsedBot> RunOf(string query) => _runs.GetOrAdd(query, one => new(() => RunAsync(one))).Value;

    private async Task<RehearsedBot> RunAsync(string query)
    {
        var named = NamedScenario.All.SingleOrDefault(one => query == $"scenario={one.Name}");
        var leave = named?.Leave is var (condition, seconds) ? new Dictionary<string, int> { [condition] = seconds } : [];
        await _two.WaitAsync();
        try
        {
            if (named is { NeedsEpoch: true })
                query += $"&epoch={TimeProvider.System.GetUtcNow().ToUnixTimeSeconds()}";
            var id = await host.Manager.RecordAsync(host.Manager.Rehearsal(query.Replace(" ", "%20", StringComparison.Ordinal)), leave, userId: "scenarios");
            var bot = await host.Manager.UntilAsync(id, Patience, WireWord.Of(BotStatus.Completed), WireWord.Of(BotStatus.Failed));
            var log = await host.Manager.Api.GetStringAsync(new Uri($"/bots/{id}/logs", UriKind.Relative));
            var parameters = query.Split('&').Select(part => part.Split('=')).Select(pair => KeyValuePair.Create(pair[0], pair[1]));
            return new(host.Manager, id, RehearsalQuery.Read(parameters).Scenario!, bot, log);
        }
        finally
        {
            _two.Release();
        }
    }
}

/// <summary>A bot that was in a rehearsal.</summary>
internal sealed record RehearsedBot(ManagerProcess Manager, string Id, RehearsalScenario Scenario, JsonNode Bot, string Log)
{
    public async Task<JsonNode> ManifestAsync() => (await Manager.GetAsync($"/bots/{Id}/manifest")).Body!;

    public async Task<ZipArchive> EvidenceAsync() => new(await Manager.Api.GetStreamAsync(new Uri($"/bots/{Id}/evidence", UriKind.Relative)));

    /// <returns>The path of a copy of the recording.</returns>
    public async Task<string> DownloadAsync()
    {
        var path = Path.Combine(Manager.Storage, $"{Id}-downloaded.ogg");
        await File.WriteAllBytesAsync(path, await Manager.Api.GetByteArrayAsync(new Uri($"/bots/{Id}/recording", UriKind.Relative)));
        return path;
    }

    public override string ToString() => $"{Bot}\n--- its container:\n{Log}";
}

/// <summary>Knows which rehearsals the tests of this run are about: the first argument of each.</summary>
public sealed class RehearsalOrder : ITestCaseOrderer
{
    /// <summary>As they will be asked for.</summary>
    public static IReadOnlyList<string> Queries { get; private set; } = [];

    public IReadOnlyCollection<TTestCase> OrderTestCases<TTestCase>(IReadOnlyCollection<TTestCase> testCases) where TTestCase : notnull, ITestCase
    {
        var order = testCases.OrderBy(one => one.TestCaseDisplayName.Split('(')[0], StringComparer.Ordinal).ToList();
        Queries = [.. order.OfType<XunitTestCase>().Select(one => one.TestMethodArguments).OfType<object?[]>().Select(arguments => arguments.FirstOrDefault()).OfType<string>()];
        return order;
    }
}
