using System.Diagnostics;

namespace NewarBots.Bench;

/// <summary>Waits for a condition, with a deadline.</summary>
internal static class Wait
{
    public static async Task<T> ForAsync<T>(Func<Task<T?>> ask, string what, TimeSpan patience, CancellationToken cancellation) where T : class
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            if (await ask() is { } answer)
                return answer;
            if (watch.Elapsed > patience)
                throw new TimeoutException($"Not within {patience.TotalSeconds:0} s: {what}.");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, cancellation);
        }
    }
}
