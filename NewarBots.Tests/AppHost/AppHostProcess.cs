using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.AppHost;

/// <summary>
/// The AppHost as a process, as <c>dotnet run</c> starts it, with its own ports and storage folder. It starts no containers unless the test gives it
/// an engine.
/// </summary>
internal sealed partial class AppHostProcess : IAsyncDisposable
{
    private const int TerminateSignal = 15;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("newarbots-apphost-");
    private readonly List<string> _output = [];
    private readonly string _manager;
    private readonly Process _process;

    /// <param name="settings">Environment variables. They override those of this class.</param>
    public AppHostProcess(params (string Name, string Value)[] settings) : this("dotnet", [Dll], settings)
    {
    }

    /// <param name="program">Starts the AppHost.</param>
    /// <param name="arguments">Arguments of the program.</param>
    /// <param name="settings">Environment variables. They override those of this class.</param>
    public AppHostProcess(string program, string[] arguments, params (string Name, string Value)[] settings)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            // The configuration file is read from the working directory.
            WorkingDirectory = Projects.NewarBots_AppHost.ProjectPath,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            Environment =
            {
                ["DOTNET_ENVIRONMENT"] = "Development",
                ["ASPNETCORE_ENVIRONMENT"] = "Development",
                ["ASPNETCORE_URLS"] = $"http://127.0.0.1:{ManagerProcess.FreePort()}",
                ["Dashboard__Url"] = $"http://localhost:{ManagerProcess.FreePort()}",
                ["ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL"] = $"http://localhost:{ManagerProcess.FreePort()}",
                ["ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL"] = $"http://localhost:{ManagerProcess.FreePort()}",
                ["Redis__Port"] = $"{ManagerProcess.FreePort()}",
                ["Storage__Path"] = Path.Combine(_folder.FullName, "storage"),
            },
        };
        foreach (var (name, value) in settings)
            start.Environment[name] = value;
        _manager = start.Environment["ASPNETCORE_URLS"]!;
        _process = new() { StartInfo = start };
        _process.OutputDataReceived += Keep;
        _process.ErrorDataReceived += Keep;
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    private static string Dll => Path.Combine(
        Projects.NewarBots_AppHost.ProjectPath,
        "bin",
        typeof(AppHostProcess).Assembly.GetCustomAttribute<AssemblyConfigurationAttribute>()!.Configuration,
        "net10.0",
        "NewarBots.AppHost.dll");

    public Uri Manager => new(_manager);

    public bool IsRunning => !_process.HasExited;

    /// <summary>Both output streams so far.</summary>
    public IReadOnlyList<string> Output
    {
        get
        {
            lock (_output)
                return [.. _output];
        }
    }

    /// <returns>The exit code.</returns>
    public async Task<int> ExitAsync(TimeSpan timeout)
    {
        using var cancellation = new CancellationTokenSource(timeout, TimeProvider.System);
        try
        {
            await _process.WaitForExitAsync(cancellation.Token);
        }
        catch (OperationCanceledException exception)
        {
            throw new TimeoutException($"The AppHost did not exit within {timeout}:\n{string.Join('\n', Output)}", exception);
        }
        return _process.ExitCode;
    }

    /// <summary>Waits until a line of the output contains the text.</summary>
    public async Task<string> LineAsync(string text, TimeSpan timeout)
    {
        try
        {
            return await Eventually.NotNullAsync(
                () => _process.HasExited && Output.All(line => !line.Contains(text, StringComparison.Ordinal))
                    ? throw new InvalidOperationException("The AppHost has exited.")
                    : Task.FromResult(Output.FirstOrDefault(line => line.Contains(text, StringComparison.Ordinal))),
                timeout);
        }
        catch (Exception exception) when (exception is TimeoutException or InvalidOperationException)
        {
            throw new InvalidOperationException($"{exception.Message} The output has no line with \"{text}\":\n{string.Join('\n', Output)}", exception);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            // As Ctrl-C does, so that the orchestrator ends its processes.
            _ = Kill(_process.Id, TerminateSignal);
            await ExitAsync(TimeSpan.FromMinutes(1));
        }
        _process.Dispose();
        _folder.Delete(recursive: true);
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        if (line.Data is null)
            return;
        lock (_output)
            _output.Add(line.Data);
    }
}
