using System.Runtime.InteropServices;

namespace NewarBots.Recorder.Hosting;

/// <summary>A request that the bot leave: SIGTERM, SIGINT or the command channel. It cannot be withdrawn.</summary>
internal sealed class StopSignal(TimeProvider time)
{
    /// <summary>Never disposed: a second SIGTERM must not kill the process while it shuts down.</summary>
    private static readonly List<PosixSignalRegistration> Registrations = [];

    private readonly TaskCompletionSource _requested = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public bool IsRequested => _requested.Task.IsCompleted;

    public Task Requested => _requested.Task;

    public void Request() => _requested.TrySetResult();

    public void ListenToSignals()
    {
        foreach (var signal in (PosixSignal[])[PosixSignal.SIGTERM, PosixSignal.SIGINT])
        {
            Registrations.Add(PosixSignalRegistration.Create(signal, context =>
            {
                context.Cancel = true;
                Request();
            }));
        }
    }

    /// <summary>Waits for <paramref name="delay"/>, or until a stop is requested.</summary>
    public async Task DelayAsync(TimeSpan delay)
    {
        using var cancelDelay = new CancellationTokenSource();
        await Task.WhenAny(Task.Delay(delay, time, cancelDelay.Token), _requested.Task);
        await cancelDelay.CancelAsync();
    }
}
