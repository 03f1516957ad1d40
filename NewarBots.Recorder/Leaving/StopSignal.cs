using System.Runtime.InteropServices;

namespace NewarBots.Recorder.Leaving;

/// <summary>Somebody wants the bot to leave: by SIGTERM, SIGINT or the command channel. Once asked, it stays asked.</summary>
internal sealed class StopSignal(TimeProvider time) : IDisposable
{
    private readonly TaskCompletionSource _requested = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<PosixSignalRegistration> _registrations = [];

    public bool IsRequested => _requested.Task.IsCompleted;

    public Task Requested => _requested.Task;

    public void Request() => _requested.TrySetResult();

    public void ListenToSignals()
    {
        foreach (var signal in (PosixSignal[])[PosixSignal.SIGTERM, PosixSignal.SIGINT])
        {
            _registrations.Add(PosixSignalRegistration.Create(signal, context =>
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

    public void Dispose() => _registrations.ForEach(registration => registration.Dispose());
}
