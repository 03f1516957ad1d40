using System.Diagnostics;
using CliWrap;
using CliWrap.Buffered;

namespace NewarBots.Tests.Fixtures;

/// <summary>
/// A Docker engine of the test's own, beside the machine's, with everything in a folder of its own: it may be killed and started
/// again without harm to anybody else's containers. Needs root.
/// </summary>
internal sealed class OwnEngine : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    // 15 characters at most, for an interface; and a socket's path is short, the system's folder for temporary files perhaps not.
    private readonly string _name = $"newar-{Random.Shared.Next(0x1000000):x6}";
    private readonly DirectoryInfo _folder;
    private readonly List<string> _output = [];
    private Process? _process;

    private OwnEngine() => _folder = Directory.CreateDirectory($"/run/{_name}");

    /// <summary>For <c>Launching:DockerHost</c>.</summary>
    public string Address => $"unix://{_folder.FullName}/engine.sock";

    public static async Task<OwnEngine> RunAsync()
    {
        var engine = new OwnEngine();
        // An engine without a bridge of its own takes the machine's, or takes it away.
        await DockerCli.RunAsync(
            "network", "create", "--subnet", "10.212.0.0/24", "--opt", $"com.docker.network.bridge.name={engine._name}", engine._name);
        await engine.StartAsync();
        return engine;
    }

    /// <summary>Returns once it answers.</summary>
    public async Task StartAsync()
    {
        // The packet filter belongs to the machine's own engine. So does docker0, which an engine that is given address pools removes.
        string[] arguments =
        [
            "--host", Address, "--data-root", Path.Combine(_folder.FullName, "data"), "--exec-root", Path.Combine(_folder.FullName, "exec"),
            "--pidfile", Path.Combine(_folder.FullName, "pid"), "--bridge", _name, "--iptables=false", "--ip6tables=false",
        ];
        var start = new ProcessStartInfo("dockerd", arguments) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        _process = Process.Start(start) ?? throw new InvalidOperationException("dockerd did not start.");
        _process.OutputDataReceived += Keep;
        _process.ErrorDataReceived += Keep;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        await Eventually.TrueAsync(
            async () => _process.HasExited
                ? throw new InvalidOperationException($"dockerd exited with {_process.ExitCode}:\n{Output}")
                : (await Cli.Wrap("docker").WithArguments(["--host", Address, "version"]).WithValidation(CommandResultValidation.None).ExecuteBufferedAsync()).IsSuccess,
            Patience);
    }

    /// <summary>Runs <c>docker</c> against this engine and returns what it printed, trimmed.</summary>
    public Task<string> RunAsync(params IReadOnlyList<string> arguments) => DockerCli.RunAsync(["--host", Address, .. arguments]);

    /// <summary>Copies an image from the machine's own engine.</summary>
    public async Task LoadAsync(string image)
    {
        var file = Path.Combine(_folder.FullName, "image.tar");
        await DockerCli.RunAsync("save", "--output", file, image);
        await RunAsync("load", "--input", file);
        File.Delete(file);
    }

    /// <summary>SIGKILL: its containers run on until the next start clears them away.</summary>
    public void Kill()
    {
        _process!.Kill();
        _process.WaitForExit();
        // Its containerd dies with it. Where nobody reaps orphans it stays a zombie, which the next start would take for alive.
        File.Delete(Path.Combine(_folder.FullName, "exec", "containerd", "containerd.pid"));
    }

    /// <summary>SIGTERM, as by a restart of the service: it ends its containers first.</summary>
    public async Task TerminateAsync()
    {
        await Cli.Wrap("kill").WithArguments(["-TERM", $"{_process!.Id}"]).ExecuteAsync();
        await _process.WaitForExitAsync().WaitAsync(Patience, TimeProvider.System);
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: true })
            await StartAsync();
        foreach (var container in (await RunAsync("ps", "--all", "--quiet")).Split('\n', StringSplitOptions.RemoveEmptyEntries))
            await RunAsync("rm", "--force", container);
        foreach (var network in (await RunAsync("network", "ls", "--quiet", "--filter", "type=custom")).Split('\n', StringSplitOptions.RemoveEmptyEntries))
            await RunAsync("network", "rm", network);
        await TerminateAsync();
        _process!.Dispose();
        // One that was killed could not take its file systems down; of two on one place the later one is first.
        var mounted = (await File.ReadAllLinesAsync("/proc/self/mounts")).Select(line => line.Split(' ')[1]).Where(place => place.StartsWith($"{_folder.FullName}/", StringComparison.Ordinal));
        foreach (var place in mounted.Reverse())
            await Cli.Wrap("umount").WithArguments(["--lazy", place]).WithValidation(CommandResultValidation.None).ExecuteAsync();
        await DockerCli.RunAsync("network", "rm", _name);
        _folder.Delete(recursive: true);
    }

    private string Output
    {
        get
        {
            lock (_output)
                return string.Join('\n', _output);
        }
    }

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        if (line.Data is null)
            return;
        lock (_output)
            _output.Add(line.Data);
    }
}
