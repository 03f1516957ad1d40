using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Recordings;
using NewarBots.ServiceDefaults;

namespace NewarBots.Bench;

/// <summary>
/// Finalizes an hour of chunks, each time right after a bare <c>ffmpeg -f concat -c copy</c> of the same files, so that both run under the
/// same load. The manager's own spans give the duration of each step.
/// </summary>
internal sealed class FinalizeBenchmark : Benchmark
{
    private const string Cpu = "CPU time, children included";

    private static readonly TimeSpan MemoryInterval = TimeSpan.FromMilliseconds(5);

    private static readonly string[] Steps = ["chunks read", "recording concatenate", "recording verify", "recording seal", "recording publish"];

    public override string Name => "finalize";

    public override string Summary =>
        "chunks=360 runs=5: chunks to recording, compared with a bare ffmpeg concatenation (goal: at most 1.3 times, constant memory)";

    public override async Task RunAsync(Arguments arguments, CancellationToken cancellation)
    {
        var count = arguments.Int("chunks", 360);
        var runs = arguments.Int("runs", 5);
        using var chunks = await GeneratedChunks.MakeAsync(count, cancellation);
        Console.WriteLine($"{count} chunks of {GeneratedChunks.Length.TotalSeconds:0} s, {chunks.Bytes / 1e6:0.0} MB; {runs} runs, one to warm up");

        var times = new Dictionary<string, Figures>();
        using var listener = ListenTo(step => Times(step.OperationName).Add(step.Duration.TotalSeconds));
        for (var run = 0; run <= runs; run++)
        {
            if (run == 1)
                times.Clear();
            Times("bare concatenation").Add(await chunks.ConcatenateBareAsync(cancellation));
            Times("bare decoding").Add(await chunks.DecodeBareAsync(cancellation));
            var before = CpuSeconds();
            await FinalizeAsync(chunks, cancellation);
            Times(Cpu).Add(CpuSeconds() - before);
        }

        Console.WriteLine($"\n{"seconds",-32}{"median",9}   {"min",9} .. max");
        foreach (var name in (string[])["bare concatenation", "bare decoding", .. Steps, "recording finalize", Cpu])
            Console.WriteLine($"{name,-32}{Times(name)}");

        var bare = Times("bare concatenation").Median;
        var concatenation = Times("recording concatenate").Median;
        var total = Times("recording finalize").Median;
        Print("concatenate / bare concatenation", concatenation / bare);
        Print("read + concatenate + publish / bare concatenation", (total - Times("recording verify").Median) / bare);
        Print("everything, decoding included / bare concatenation", total / bare);
        Print("everything / bare concatenation + bare decoding", total / (bare + Times("bare decoding").Median));

        await PrintMemoryAsync(chunks, cancellation);
        using var few = await GeneratedChunks.MakeAsync(Math.Max(1, count / 10), cancellation);
        await PrintMemoryAsync(few, cancellation);

        Figures Times(string name) => times.TryGetValue(name, out var figures) ? figures : times[name] = new();

        static void Print(string label, double ratio) => Console.WriteLine($"{label,-52}{ratio,6:0.00}");
    }

    /// <summary>CPU time of this process and of all descendants that have ended.</summary>
    private static double CpuSeconds()
    {
        // proc(5): fields 14 to 17 are in ticks of 10 ms. Field 2 may contain spaces and ends with a parenthesis.
        var fields = File.ReadAllText("/proc/self/stat").Split(')')[^1].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return fields[11..15].Sum(ticks => long.Parse(ticks, CultureInfo.InvariantCulture)) / 100.0;
    }

    private static async Task PrintMemoryAsync(GeneratedChunks chunks, CancellationToken cancellation)
    {
        GC.Collect();
        var memory = new PeakMemory(Environment.ProcessId, MemoryInterval);
        await using (memory)
            await FinalizeAsync(chunks, cancellation);
        Console.WriteLine($"peak memory with {chunks.Count,3} chunks: manager {memory.OwnMiB:0} MiB, largest child {memory.ChildMiB:0} MiB, all children {memory.ChildrenMiB:0} MiB");
    }

    private static async Task FinalizeAsync(GeneratedChunks chunks, CancellationToken cancellation)
    {
        var bot = chunks.PutIntoSession();
        var options = Options.Create(new FinalizingOptions());
        var finalizer = new RecordingFinalizer(
            chunks.Storage,
            new(chunks.Storage, Options.Create(new LaunchingOptions())),
            new(new(TimeProvider.System), TimeProvider.System, NullLogger<AssemblyProcess>.Instance),
            new(options, TimeProvider.System),
            new(chunks.Storage),
            new(TimeProvider.System),
            options,
            TimeProvider.System,
            NullLogger<RecordingFinalizer>.Instance);
        var result = (FinalizationResult.Recorded)await finalizer.FinalizeAsync(bot, cancellation);
        if (result.Recording.DurationSeconds != chunks.Count * GeneratedChunks.Length.TotalSeconds || !result.Recording.Complete)
            throw new InvalidOperationException($"Unexpected recording: {result}");
        Directory.Delete(chunks.Storage.FinalRoot, recursive: true);
    }

    private static ActivityListener ListenTo(Action<Activity> stopped)
    {
        var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == TelemetryNames.Manager,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = stopped,
        };
        ActivitySource.AddActivityListener(listener);
        return listener;
    }
}
