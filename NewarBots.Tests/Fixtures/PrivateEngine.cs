using System.Diagnostics;
using CliWrap;
using CliWrap.Buffered;

namespace NewarBots.Tests.Fixtures;

/// <summary>
/// A second Docker engine with its own folder. Tests can kill and restart it without affecting the containers of the machine's engine. Needs
/// root.
/// </summary>
internal sealed class PrivateEngine : IAsyncDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    // Interface names have at most 15 characters. Socket paths must be short too, so the folder is not in the temporary folder.
    private readonly string _name = $"newar-{Random.Shared.Next(0x1000000):x6}";
    private readonly DirectoryInfo _folder;
    private readonly List<string> _output = [];
    private Process? _process;

    private PrivateEngine() => _folder = Directory.CreateDirectory($"/run/{_name}");

    /// <summary>For <c>Launching:DockerHost</c>.</summary>
    public string Address => $"unix://{_folder.FullName}/engine.sock";

    public static async Task<PrivateEngine> RunAsync()
    {
        var engine = new PrivateEngine();
        // Without its own bridge, the engine would use or remove the machine's bridge.
        await DockerCli.RunAsync(
            "network", "create", "--subnet", "10.212.0.0/24", "--opt", $"com.docker.network.bridge.name={engine._name}", engine._name);
        await engine.StartAsync();
        return engine;
    }

    /// <summary>Returns once it responds.</summary>
    public async Task StartAsync()
    {
        // The packet filter belongs to the machine's engine. So does docker0, which an engine with its own address pools would remove.
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
            Timeout);
    }

    /// <summary>Runs <c>docker</c> against this engine and returns its trimmed output.</summary>
    public Task<string> RunAsync(params IReadOnlyList<string> arguments) => DockerCli.RunAsync(["--host", Address, .. arguments]);

    /// <summary>Copies an image from the machine's engine.</summary>
    public async Task LoadAsync(string image)
    {
        var file = Path.Combine(_folder.FullName, "image.tar");
        await DockerCli.RunAsync("save", "--output", file, image);
        await RunAsync("load", "--input", file);
        File.Delete(file);
    }

    /// <summary>Sends SIGKILL. Its containers keep running until the next start removes them.</summary>
    public void Kill()
    {
        _process!.Kill();
        _process.WaitForExit();
        // Its containerd dies too, but may remain a zombie that the next start would mistake for a running process.
        File.Delete(Path.Combine(_folder.FullName, "exec", "containerd", "containerd.pid"));
    }

    /// <summary>Sends SIGTERM, like a restart of the service. The engine stops its containers first.</summary>
    public async Task TerminateAsync()
    {
        await Cli.Wrap("kill").WithArguments(["-TERM", $"{_process!.Id}"]).ExecuteAsync();
        await _process.WaitForExitAsync().WaitAsync(Timeout, TimeProvider.System);
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
        // A killed engine leaves its file systems mounted. Unmount in reverse order, because mounts can be stacked.
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
