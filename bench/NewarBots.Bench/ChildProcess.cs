using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace NewarBots.Bench;

/// <summary>A child process without visible output; killed when disposed.</summary>
internal sealed class ChildProcess : IDisposable
{
    private readonly Process _process;
    private readonly Queue<string> _lastLines = [];
    private readonly Action<string>? _onLine;

    /// <param name="program">Name of a program on the PATH.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="environment">Added to this process's environment.</param>
    /// <param name="onLine">Called with each line of its output.</param>
    public ChildProcess(
        string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null, Action<string>? onLine = null)
    {
        _onLine = onLine;
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        _process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start.");
        _process.OutputDataReceived += Keep;
        _process.ErrorDataReceived += Keep;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public int Id => _process.Id;

    /// <exception cref="InvalidOperationException">It has exited. The message contains its last output.</exception>
    public void ThrowIfEnded()
    {
        if (!_process.HasExited)
            return;
        lock (_lastLines)
            throw new InvalidOperationException($"{_process.StartInfo.FileName} exited with {_process.ExitCode}:\n{string.Join('\n', _lastLines)}");
    }

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        lock (_lastLines)
        {
            if (line.Data is not null)
                _onLine?.Invoke(line.Data);
            _lastLines.Enqueue(line.Data ?? string.Empty);
            if (_lastLines.Count > 50)
                _lastLines.Dequeue();
        }
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
