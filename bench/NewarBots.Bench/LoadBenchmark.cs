using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using NewarBots.Contract;
using NewarBots.Manager.Recordings;

namespace NewarBots.Bench;

/// <summary>
/// Measures how much audio recorders lose while other processes keep all cores busy. Two kinds of recorders run at the same time: as launched, and
/// changed. The change is a lower priority for chosen processes of the container, which leaves more of its time to the browser, or other CPU shares.
/// </summary>
internal sealed class LoadBenchmark : Benchmark
{
    /// <summary>By kind, what the command line contains. The browser's own processes are never matched.</summary>
    private static readonly Dictionary<string, string> Processes = new()
    {
        ["xvfb"] = "*Xvfb*",
        ["node"] = "*/node*",
        ["recorder"] = "*NewarBots.Recorder*",
    };

    public override string Name => "load";

    public override string Summary =>
        "busy=8 pairs=1 minutes=3 nice=5 lower=xvfb,node,recorder shares=1024: audio lost beside 8 busy processes, in recorders as launched and in others in "
        + "which some processes have a lower priority or, with shares, that have other CPU shares (goal: under 0.5 %)";

    public override async Task RunAsync(Arguments arguments, CancellationToken cancellation)
    {
        var (pairs, minutes) = (arguments.Int("pairs", 1), arguments.Int("minutes", 3));
        var (lower, shares) = (arguments.Text("lower", string.Join(',', Processes.Keys)).Split(','), arguments.Int("shares", 0));
        var change = shares > 0 ? $"{shares} CPU shares" : $"lower priority: {string.Join(", ", lower)}";
        await using var manager = await RunningManager.StartAsync([], cancellation);
        var bots = new List<(string Id, bool IsChanged)>();
        for (var i = 0; i < 2 * pairs; i++)
        {
            // The order changes with each pair.
            var isChanged = i % 4 is 1 or 2;
            var id = await manager.SendAsync($"{manager.Address}rehearsal/abc-defg-hi{(char)('a' + i)}?participants=3&admitAfter=0", cancellation);
            await manager.UntilAsync(id, cancellation, "recording");
            if (isChanged && shares > 0)
                await DockerAsync(["update", "--cpu-shares", $"{shares}", ContainerOf(id)], cancellation);
            else if (isChanged)
                await LowerAsync(id, lower, arguments.Int("nice", 5), cancellation);
            bots.Add((id, isChanged));
        }

        PrintLoad("before");
        var begins = new Dictionary<string, double>();
        foreach (var (id, _) in bots)
            begins[id] = (double)(await manager.Api.GetFromJsonAsync<JsonNode>($"/bots/{id}", cancellation))!["recordedSeconds"]!;
        var busy = Enumerable.Range(0, arguments.Int("busy", 8)).Select(_ => new ChildProcess("sh", ["-c", "while :; do :; done"])).ToList();
        try
        {
            await Task.Delay(TimeSpan.FromMinutes(minutes), TimeProvider.System, cancellation);
            PrintLoad("after");
        }
        finally
        {
            busy.ForEach(process => process.Dispose());
        }

        var lost = new Dictionary<bool, Figures> { [false] = new(), [true] = new() };
        Console.WriteLine($"{"",-44}{"recorded, s",12}{"gaps",6}{"longest, s",12}{"missing, s",12}{"missing, %",12}");
        foreach (var (id, isChanged) in bots)
        {
            await manager.EndAsync(id, cancellation);
            var manifest = (await manager.Api.GetFromJsonAsync<JsonNode>($"/bots/{id}/manifest", cancellation))!;
            var gaps = manifest["gaps"]!.AsArray()
                .Select(gap => new Gap((double)gap!["startSeconds"]!, (double)gap["endSeconds"]!, (string)gap["cause"]!))
                .Where(gap => gap.StartSeconds >= begins[id])
                .ToList();
            var recorded = (double)manifest["durationSeconds"]! - begins[id];
            var missing = Completeness.MissingSecondsOf(gaps);
            var percent = 100 * missing / recorded;
            lost[isChanged].Add(percent);
            Console.WriteLine($"{(isChanged ? change : "as launched"),-44}{recorded,12:0}{gaps.Count,6}"
                + $"{gaps.Select(gap => gap.EndSeconds - gap.StartSeconds).DefaultIfEmpty().Max(),12:0.00}{missing,12:0.00}{percent,12:0.00}");
        }

        Console.WriteLine($"median missing: as launched {lost[false].Median:0.00} %, {change} {lost[true].Median:0.00} %, ratio {lost[true].Median / lost[false].Median:0.00}");
    }

    private static string ContainerOf(string id) => $"newar-bot-{id}";

    /// <summary>Lowers the priority of all threads, since each has its own.</summary>
    private static async Task LowerAsync(string id, IEnumerable<string> kinds, int nice, CancellationToken cancellation)
    {
        var script = $$"""
            for process in /proc/[0-9]*; do
              case "$(tr '\0' ' ' < "$process/cmdline")" in
                *chrom*) ;;
                {{string.Join('|', kinds.Select(kind => Processes[kind]))}})
                  for task in "$process"/task/*; do renice -n {{nice}} -p "${task##*/}" > /dev/null; done ;;
              esac
            done
            """;
        await DockerAsync(["exec", ContainerOf(id), "sh", "-c", script], cancellation);
    }

    private static async Task DockerAsync(string[] command, CancellationToken cancellation)
    {
        using var docker = Process.Start("docker", command);
        await docker.WaitForExitAsync(cancellation);
        if (docker.ExitCode != 0)
            throw new InvalidOperationException($"docker {command[0]} failed with {docker.ExitCode}.");
    }
}
