using System.Net.Http.Json;
using System.Text.Json.Nodes;
using NewarBots.Contract;

namespace NewarBots.Bench;

/// <summary>
/// Counts missing, stalled and duplicated 20 ms packets of a long recording. The manifest lists gaps with their causes, and the start and
/// duration of each chunk.
/// </summary>
internal sealed class PacketsBenchmark : Benchmark
{
    public override string Name => "packets";

    public override string Summary => "minutes=10: missing or duplicated 20 ms packets in a recording of three speakers (goal: none)";

    public override async Task RunAsync(Arguments arguments, CancellationToken cancellation)
    {
        var minutes = arguments.Int("minutes", 10);
        await using var manager = await RunningManager.StartAsync([], cancellation);
        PrintLoad("before");
        var id = await manager.SendAsync($"{manager.Address}rehearsal/abc-defg-hij?participants=3&admitAfter=0", cancellation);
        await manager.UntilAsync(id, cancellation, "recording");
        using (var minute = new PeriodicTimer(TimeSpan.FromMinutes(1)))
        {
            for (var passed = 0; passed < minutes; passed++)
            {
                await minute.WaitForNextTickAsync(cancellation);
                var bot = (await manager.Api.GetFromJsonAsync<JsonNode>($"/bots/{id}", cancellation))!;
                Console.WriteLine($"{passed + 1} min: {bot["recordedSeconds"]} s recorded, {bot["audibleSeconds"]} s audible");
            }
        }

        await manager.EndAsync(id, cancellation);
        var manifest = (await manager.Api.GetFromJsonAsync<JsonNode>($"/bots/{id}/manifest", cancellation))!;
        var chunks = manifest["chunks"]!.AsArray();
        var (doubled, missing, end) = (0L, 0L, 0L);
        foreach (var chunk in chunks)
        {
            var start = Packets(chunk!["startSeconds"]);
            missing += Math.Max(0, start - end);
            doubled += Math.Max(0, end - start);
            end = start + Packets(chunk["durationSeconds"]);
        }

        Console.WriteLine($"{end} packets in {chunks.Count} chunks: between chunks {missing} missing, {doubled} duplicated");
        var gaps = manifest["gaps"]!.AsArray().ToLookup(gap => (string)gap!["cause"]!, gap => Packets(gap!["endSeconds"]) - Packets(gap["startSeconds"]));
        foreach (var gap in gaps)
            Console.WriteLine($"{gap.Key}: {gap.Sum()} packets in {gap.Count()} gaps");
        if (gaps.Count == 0)
            Console.WriteLine("no gaps");
        PrintLoad("after");

        static long Packets(JsonNode? seconds) => (long)Math.Round((double)seconds! * ChunkFormat.PacketsPerSecond);
    }
}
