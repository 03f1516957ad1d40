using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace NewarBots.Recorder.Reporting;

/// <summary>Lets out what is still on its way when the recorder ends, and waits for none of it long.</summary>
internal sealed class LastWords(StatusOutbox outbox, IServiceProvider services, TimeProvider time)
{
    private static readonly TimeSpan StatusPatience = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan TelemetryPatience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan ClosingPatience = TimeSpan.FromSeconds(0.5);

    public Task SayAsync() => Task.WhenAll(
        WithinAsync(StatusPatience, services.GetService<RedisStatusSender>() is null ? Task.CompletedTask : outbox.WhenEmpty()),
        FlushAsync<TracerProvider>((provider, patience) => provider.ForceFlush(patience)),
        FlushAsync<MeterProvider>((provider, patience) => provider.ForceFlush(patience)),
        FlushAsync<LoggerProvider>((provider, patience) => provider.ForceFlush(patience)));

    /// <summary>
    /// Ends what the host holds. Everything has been said by then; telemetry that nobody takes would only be waited for once more, for
    /// as long as it takes the watchdog to make an end.
    /// </summary>
    public static async Task CloseAsync(IHost host)
    {
        var closing = Task.Factory.StartNew(host.Dispose, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        await closing.WaitAsync(ClosingPatience, TimeProvider.System).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private Task FlushAsync<T>(Func<T, int, bool> flush) where T : class => services.GetService<T>() is { } provider
        ? WithinAsync(TelemetryPatience, Task.Factory.StartNew(
            () => flush(provider, (int)TelemetryPatience.TotalMilliseconds),
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default))
        : Task.CompletedTask;

    private async Task WithinAsync(TimeSpan patience, Task task)
    {
        try
        {
            await task.WaitAsync(patience, time);
        }
        catch (TimeoutException)
        {
            // The journal has every status; telemetry may be lost.
        }
    }
}
