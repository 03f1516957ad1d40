using System.Runtime.InteropServices;

namespace NewarBots.Recorder.Leaving;

/// <summary>Somebody wants the bot to leave: by SIGTERM, SIGINT or the command channel. Once asked, it stays asked.</summary>
internal sealed class StopSignal(TimeProvider time)
{
    /// <summary>Never given up: a second SIGTERM, while the process ends well, must not end it otherwise.</summary>
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

    /// <summary>Waits so long, or until somebody asks for a stop.</summary>
    public async Task DelayAsync(TimeSpan delay)
    {
        using var cancelDelay = new CancellationTokenSource();
        await Task.WhenAny(Task.Delay(delay, time, cancelDelay.Token), _requested.Task);
        await cancelDelay.CancelAsync();
    }
}
