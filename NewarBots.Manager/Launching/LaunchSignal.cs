using System.Threading.Channels;
using NewarBots.Manager.Bots;

namespace NewarBots.Manager.Launching;

/// <summary>Wakes the launcher: a bot was queued, or a place became free.</summary>
internal sealed class LaunchSignal
{
    private readonly Channel<bool> _raised = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    public void Raise() => _raised.Writer.TryWrite(true);

    /// <summary>Returns once it has been raised since the last return, or after <paramref name="atMost"/>.</summary>
    public async Task WaitAsync(TimeSpan atMost, TimeProvider time, CancellationToken cancellation)
    {
        using var limit = new CancellationTokenSource(atMost, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation);
        if (await _raised.Reader.WaitUntilReadableAsync(either.Token))
            _raised.Reader.TryRead(out _);
    }
}
