using NewarBots.Bench;

// A new benchmark needs a class and a line here.
Benchmark[] benchmarks =
[
    new PostBenchmark(),
    new ListBenchmark(),
    new EventsBenchmark(),
    new StartBenchmark(),
    new ContainerBenchmark(),
    new PacketsBenchmark(),
    new LoadBenchmark(),
    new FinalizeBenchmark(),
    new SoakBenchmark(),
    new HostileBenchmark(),
    new TranscriptBenchmark(),
];

var chosen = benchmarks.FirstOrDefault(benchmark => benchmark.Name == args.FirstOrDefault());
if (chosen is null)
{
    Console.WriteLine("Usage: dotnet run --project bench/NewarBots.Bench -c Release -- <benchmark> [name=value ...]");
    foreach (var benchmark in benchmarks)
        Console.WriteLine($"  {benchmark.Name,-12} {benchmark.Summary}");
    return args.Length == 0 ? 0 : 2;
}

using var interrupted = new CancellationTokenSource();
Console.CancelKeyPress += (_, signal) =>
{
    signal.Cancel = true;
    interrupted.Cancel();
};
await chosen.RunAsync(new Arguments(args.Skip(1)), interrupted.Token);
return 0;
