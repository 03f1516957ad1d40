using System.ComponentModel;
using System.Diagnostics;

namespace NewarBots.AppHost;

internal static class DockerEngine
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    /// <summary>Asks the engine for its version, with a timeout of ten seconds.</summary>
    /// <returns>Empty if it answers, else one sentence.</returns>
    public static async Task<string> FindFaultAsync(TimeProvider time, CancellationToken cancellation)
    {
        using var timeout = new CancellationTokenSource(Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellation);
        try
        {
            using var docker = Process.Start(new ProcessStartInfo("docker", ["version", "--format", "{{.Server.Version}}"])
            {
                UseShellExecute = false,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            try
            {
                var output = docker.StandardOutput.ReadToEndAsync(either.Token);
                var error = await docker.StandardError.ReadToEndAsync(either.Token);
                await output;
                await docker.WaitForExitAsync(either.Token);
                return docker.ExitCode == 0 ? string.Empty : $"The Docker engine is unreachable: {error.ReplaceLineEndings(" ").Trim()}";
            }
            finally
            {
                docker.Kill();
            }
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return $"The Docker engine has not answered for {Timeout.TotalSeconds} s (docker version).";
        }
        catch (Win32Exception exception)
        {
            return $"Docker cannot be run: {exception.Message}.";
        }
    }
}
