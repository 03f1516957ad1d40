using System.Diagnostics;

namespace NewarBots.Bench;

/// <summary>Polls until a condition is met, with a timeout.</summary>
internal static class Wait
{
    public static async Task<T> ForAsync<T>(Func<Task<T?>> poll, string condition, TimeSpan timeout, CancellationToken cancellation) where T : class
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            if (await poll() is { } answer)
                return answer;
            if (watch.Elapsed > timeout)
                throw new TimeoutException($"Timed out after {timeout.TotalSeconds:0} s: {condition}.");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, cancellation);
        }
    }
}
