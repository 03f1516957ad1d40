using System.Threading.Channels;

namespace NewarBots.Manager.Hosting;

/// <summary>Wakes one loop before its time; raised several times before it looks, it wakes it once.</summary>
internal class AsyncAutoResetEvent
{
    private readonly Channel<bool> _raised = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    public void Raise() => _raised.Writer.TryWrite(true);

    /// <summary>Returns once it has been raised since the last return, or after <paramref name="atMost"/>.</summary>
    public async Task WaitAsync(TimeSpan atMost, TimeProvider time, CancellationToken cancellation)
    {
        if (await _raised.Reader.WaitUntilReadableAsync(atMost, time, cancellation))
            _raised.Reader.TryRead(out _);
    }
}
