using System.Threading.Channels;

namespace NewarBots.Manager.Hosting;

/// <summary>Waits for hosted loops: the end of the host ends the wait, not by an exception but by the loop's own condition.</summary>
internal static class Waiting
{
    /// <summary>Waits for <paramref name="duration"/>, or until <paramref name="cancellation"/>.</summary>
    public static async Task WaitAsync(this TimeProvider time, TimeSpan duration, CancellationToken cancellation) =>
        await Task.Delay(duration, time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    /// <returns><see langword="false"/> after <paramref name="atMost"/>, and at the end of the host.</returns>
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
