using System.ComponentModel;
using System.Diagnostics;

namespace NewarBots.AppHost;

internal static class DockerEngine
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    /// <summary>Asks the engine for its version, with a timeout of ten seconds.</summary>
    /// <returns>Empty if it answers, else one sentence.</returns>
    public static async Task<string> FindFaultAsync(TimeProvider time, CancellationToken cancellation) =>
        (await RunAsync(["version", "--format", "{{.Server.Version}}"], time, cancellation)).Fault;

    /// <returns><see langword="false"/> only if the engine answers that no container of this name is running.</returns>
    public static async Task<bool> MayRunAsync(string container, TimeProvider time)
    {
        var (fault, containers) = await RunAsync(["ps", "--quiet", "--filter", $"name=^{container}$"], time, CancellationToken.None);
        return fault is not "" || containers is not "";
    }

    /// <param name="arguments">Arguments of <c>docker</c>.</param>
    /// <param name="time">Measures the timeout.</param>
    /// <param name="cancellation">Cancels the command.</param>
    /// <returns>The fault, empty if the engine answers, and the output.</returns>
    private static async Task<(string Fault, string Output)> RunAsync(string[] arguments, TimeProvider time, CancellationToken cancellation)
    {
        using var timeout = new CancellationTokenSource(Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellation);
        try
        {
            using var docker = Process.Start(new ProcessStartInfo("docker", arguments)
            {
                UseShellExecute = false,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            try
            {
                var output = docker.StandardOutput.ReadToEndAsync(either.Token);
                var error = await docker.StandardError.ReadToEndAsync(either.Token);
                var text = await output;
                await docker.WaitForExitAsync(either.Token);
                return (docker.ExitCode == 0 ? string.Empty : $"The Docker engine is unreachable: {error.ReplaceLineEndings(" ").Trim()}", text);
            }
            finally
            {
                docker.Kill();
            }
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return ($"The Docker engine has not answered for {Timeout.TotalSeconds} s (docker {arguments[0]}).", string.Empty);
        }
        catch (Win32Exception exception)
        {
            return ($"Docker cannot be run: {exception.Message}.", string.Empty);
        }
    }
}
