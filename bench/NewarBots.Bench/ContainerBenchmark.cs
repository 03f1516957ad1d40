using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using NewarBots.Contract;
using NewarBots.Manager.Containers;
using NewarBots.Recorder.Joining;

namespace NewarBots.Bench;

/// <summary>
/// Measures memory and CPU of one recording container. For comparison, Playwright then joins the same call without recording, with the same
/// image and limits.
/// </summary>
internal sealed class ContainerBenchmark : Benchmark
{
    private const double MiB = 1024 * 1024;
    private const string InTheCall = "in the call";

    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    public override string Name => "container";

    public override string Summary =>
        "seconds=60 browser=headed tracks=false: memory and CPU of one recording container, three speakers (goals: under 320 MiB headed, 230 MiB headless_shell, "
        + "5 % of a core more than the page alone), with a file for each track where tracks=true, and the image's size (goal: under 1.4 GB)";

    public override async Task RunAsync(Arguments arguments, CancellationToken cancellation)
    {
        var seconds = arguments.Int("seconds", 60);
        using var docker = new Docker();
        await using var manager = await RunningManager.StartAsync(
            [("Joining__Browser", arguments.Text("browser", "headed")), ("Recording__TrackFiles", arguments.Text("tracks", "false"))], cancellation);
        var meeting = new Uri($"{manager.Address}rehearsal/abc-defg-hij?participants=3&admitAfter=0");

        var id = await manager.SendAsync(meeting.AbsoluteUri, cancellation);
        await manager.UntilAsync(id, cancellation, "recording");
        var (bot, unrecordedPage) = ($"newar-bot-{id}", $"newar-bot-{id}-unrecorded");
        var recording = await docker.GetAsync($"/containers/{bot}/json", cancellation);
        var image = await docker.GetAsync($"/images/{recording["Image"]}/json", cancellation);
        Console.WriteLine($"image: {(long)image["Size"]! / 1e9:0.00} GB\n\n{"",-24}{"memory, MiB",20}{"with files",20}{"CPU, % of a core",26}");
        Console.WriteLine($"{"",-24}{"median",10}{"max",10}{"median",12}{"max",8}{"mean",10}{"median",8}{"max",8}");
        PrintLoad("before");
        var recorded = await MeasureAsync(docker, "recording", bot, seconds, cancellation);

        // Start it while the bot is running, because its network and relay exist only that long.
        await StartUnrecordedAsync(docker, recording, unrecordedPage, meeting, cancellation);
        await manager.EndAsync(id, cancellation);
        var unrecorded = await MeasureAsync(docker, "the page unrecorded", unrecordedPage, seconds, cancellation);

        Console.WriteLine($"recording / unrecorded: memory {recorded.MedianMiB / unrecorded.MedianMiB:0.00}, "
            + $"CPU {recorded.MeanPercent / unrecorded.MeanPercent:0.00} ({recorded.MeanPercent - unrecorded.MeanPercent:+0.0;-0.0} % of a core)");
        PrintLoad("after");
    }

    private static async Task<(double MedianMiB, double MeanPercent)> MeasureAsync(
        Docker docker, string label, string container, int seconds, CancellationToken cancellation)
    {
        await Task.Delay(Settling, TimeProvider.System, cancellation);
        var (memory, withFiles, cpu) = (new Figures(), new Figures(), new Figures());
        var first = await ReadAsync();
        var last = first;
        using var timer = new PeriodicTimer(Interval);
        for (var second = 0; second < seconds; second++)
        {
            await timer.WaitForNextTickAsync(cancellation);
            var next = await ReadAsync();
            memory.Add(next.MiB);
            withFiles.Add(next.WithFilesMiB);
            cpu.Add(Percent(last, next));
            last = next;
        }

        var mean = Percent(first, last);
        Console.WriteLine($"{label,-24}{memory.Median,10:0}{memory.Percentile(100),10:0}{withFiles.Median,12:0}{withFiles.Percentile(100),8:0}{mean,10:0.0}{cpu.Median,8:0.0}{cpu.Percentile(100),8:0.0}");
        return (memory.Median, mean);

        async Task<Reading> ReadAsync()
        {
            var stats = await docker.GetAsync($"/containers/{container}/stats?stream=false&one-shot=true", cancellation);
            var usage = (double)stats["memory_stats"]!["usage"]!;
            var (activeFiles, inactiveFiles) = (Bytes("active_file"), Bytes("inactive_file"));
            return new(
                DateTimeOffset.Parse((string)stats["read"]!, CultureInfo.InvariantCulture),
                (usage - activeFiles - inactiveFiles) / MiB,
                (usage - inactiveFiles) / MiB,
                (long)stats["cpu_stats"]!["cpu_usage"]!["total_usage"]! / 1e9);

            // The names of cgroups v1 and v2 differ.
            double Bytes(string name) => (double)(stats["memory_stats"]!["stats"]![$"total_{name}"] ?? stats["memory_stats"]!["stats"]![name])!;
        }

        static double Percent(Reading from, Reading to) => 100 * (to.CpuSeconds - from.CpuSeconds) / (to.At - from.At).TotalSeconds;
    }

    /// <param name="At">Time of the reading.</param>
    /// <param name="MiB">Memory without page cache, which containers can share.</param>
    /// <param name="WithFilesMiB">
    /// As shown by <c>docker stats</c>. It includes files of the image, which all bots share, if this container was the first to read them.
    /// </param>
    /// <param name="CpuSeconds">Total CPU time.</param>
    private readonly record struct Reading(DateTimeOffset At, double MiB, double WithFilesMiB, double CpuSeconds);

    /// <summary>Starts a copy of the bot's container, including limits, seccomp profile and labels, with another program.</summary>
    private static async Task StartUnrecordedAsync(Docker docker, JsonNode recording, string name, Uri meeting, CancellationToken cancellation)
    {
        var environment = RecorderEnvironment.Read(variableName => recording["Config"]!["Env"]!.AsArray()
            .Select(variable => ((string)variable!).Split('=', 2))
            .FirstOrDefault(variable => variable[0] == variableName)?[1]);
        var browser = JsonSerializer.Serialize(new
        {
            url = meeting,
            width = VirtualDisplay.Width,
            height = VirtualDisplay.Height,
            sandbox = environment.ChromiumSandbox,
            args = ChromiumArguments.For(
                environment.Browser,
                new() { SessionId = SessionId.New(TimeProvider.System), MeetingUrl = meeting, BotName = "Notes", LocalhostIs = IPortForwarding.HostName }),
            executable = MeetingBrowser.Executable(environment.Browser),
            headless = environment.Browser is BrowserKind.HeadlessShell,
            inTheCall = InTheCall,
        });
        using var script = new StreamReader(typeof(ContainerBenchmark).Assembly.GetManifestResourceStream("unrecorded.js")!);
        var container = new JsonObject
        {
            ["Image"] = recording["Config"]!["Image"]!.DeepClone(),
            ["User"] = recording["Config"]!["User"]!.DeepClone(),
            ["Labels"] = recording["Config"]!["Labels"]!.DeepClone(),
            ["HostConfig"] = recording["HostConfig"]!.DeepClone(),
            ["Entrypoint"] = new JsonArray("sh", "-c", "exec /app/.playwright/node/*/node -e \"$0\" \"$1\""),
            ["Cmd"] = new JsonArray(await script.ReadToEndAsync(cancellation), browser),
        };
        // Without this label, so that the manager does not treat it as an unknown bot and remove it.
        container["Labels"]!.AsObject().Remove(RecorderLabels.Session);
        await docker.PostAsync($"/containers/create?name={name}", container, cancellation);
        await docker.PostAsync($"/containers/{name}/start", body: null, cancellation);
        await Wait.ForAsync(
            async () =>
            {
                var log = await docker.GetTextAsync($"/containers/{name}/logs?stdout=true&stderr=true", cancellation);
                var state = (await docker.GetAsync($"/containers/{name}/json", cancellation))["State"]!;
                if (!(bool)state["Running"]!)
                    throw new InvalidOperationException($"Could not open the page without recording: {log}");
                return log.Contains(InTheCall, StringComparison.Ordinal) ? log : null;
            },
            "the page without recording is in the call",
            Timeout,
            cancellation);
    }
}
