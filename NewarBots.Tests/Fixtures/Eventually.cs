using System.Diagnostics;

namespace NewarBots.Tests.Fixtures;

/// <summary>Polls until a condition is met, with a timeout.</summary>
internal static class Eventually
{
    private static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(50);

    public static Task TrueAsync(Func<bool> condition, TimeSpan? timeout = null) =>
        TrueAsync(() => Task.FromResult(condition()), timeout);

    public static async Task TrueAsync(Func<Task<bool>> condition, TimeSpan? timeout = null)
    {
        var watch = Stopwatch.StartNew();
        while (!await condition())
        {
            if (watch.Elapsed > (timeout ?? DefaultTimeout))
                throw new TimeoutException($"The condition was not met within {timeout ?? DefaultTimeout}.");
            await Task.Delay(PollInterval, TimeProvider.System);
        }
    }

    /// <summary>Polls until the result is not <see langword="null"/>.</summary>
    public static async Task<T> NotNullAsync<T>(Func<Task<T?>> poll, TimeSpan? timeout = null) where T : class
    {
        T? result = null;
        await TrueAsync(async () => (result = await poll()) is not null, timeout);
        return result!;
    }
}
