using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace NewarBots.Recorder.Reporting;

/// <summary>Sends queued status messages and telemetry before the recorder exits, each within a short timeout.</summary>
internal sealed class ShutdownFlush(StatusOutbox outbox, IServiceProvider services, TimeProvider time)
{
    private static readonly TimeSpan StatusTimeout = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan TelemetryTimeout = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(0.5);

    public Task FlushAsync() => Task.WhenAll(
        WithTimeoutAsync(StatusTimeout, services.GetService<RedisStatusSender>() is null ? Task.CompletedTask : outbox.WhenEmpty()),
        ForceFlushAsync<TracerProvider>((provider, timeout) => provider.ForceFlush(timeout)),
        ForceFlushAsync<MeterProvider>((provider, timeout) => provider.ForceFlush(timeout)),
        ForceFlushAsync<LoggerProvider>((provider, timeout) => provider.ForceFlush(timeout)));

    /// <summary>
    /// Disposes the host. Everything is flushed by then. Disposing the exporters of an unreachable endpoint would flush once more and
    /// block until the watchdog ends the process, hence the timeout.
    /// </summary>
    public static async Task CloseAsync(IHost host)
    {
        var closing = Task.Factory.StartNew(host.Dispose, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        await closing.WaitAsync(CloseTimeout, TimeProvider.System).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private Task ForceFlushAsync<T>(Func<T, int, bool> flush) where T : class => services.GetService<T>() is { } provider
        ? WithTimeoutAsync(TelemetryTimeout, Task.Factory.StartNew(
            () => flush(provider, (int)TelemetryTimeout.TotalMilliseconds),
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default))
        : Task.CompletedTask;

    private async Task WithTimeoutAsync(TimeSpan timeout, Task task)
    {
        try
        {
            await task.WaitAsync(timeout, time);
        }
        catch (TimeoutException)
        {
            // The journal has every status; losing telemetry is acceptable.
        }
    }
}
