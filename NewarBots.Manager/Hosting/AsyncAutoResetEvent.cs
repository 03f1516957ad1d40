using System.Threading.Channels;

namespace NewarBots.Manager.Hosting;

/// <summary>Wakes one waiting loop early. Raising it several times before the loop wakes counts once.</summary>
internal class AsyncAutoResetEvent
{
    private readonly Channel<bool> _raised = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    public void Raise() => _raised.Writer.TryWrite(true);

    /// <summary>Returns when it is raised, after <paramref name="atMost"/>, or when cancelled.</summary>
    public async Task WaitAsync(TimeSpan atMost, TimeProvider time, CancellationToken cancellation)
    {
        if (await _raised.Reader.WaitUntilReadableAsync(atMost, time, cancellation))
            _raised.Reader.TryRead(out _);
    }
}

/// <summary>Waits for hosted loops. Cancellation ends a wait without an exception; the loop checks its own condition.</summary>
internal static class LoopWaits
{
    /// <summary>Returns after <paramref name="duration"/>, or when cancelled.</summary>
    public static async Task WaitAsync(this TimeProvider time, TimeSpan duration, CancellationToken cancellation) =>
        await Task.Delay(duration, time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    /// <returns><see langword="false"/> after <paramref name="atMost"/>, and when cancelled.</returns>
    public static async Task<bool> WaitUntilReadableAsync<T>(
        this ChannelReader<T> reader, TimeSpan atMost, TimeProvider time, CancellationToken cancellation)
    {
        using var limit = new CancellationTokenSource(atMost, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation);
        try
        {
            return await reader.WaitToReadAsync(either.Token);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
