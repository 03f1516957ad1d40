using System.Diagnostics;

namespace NewarBots.Tests.Fixtures;

/// <summary>Waits for a condition, with a deadline.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LookAgainAfter = TimeSpan.FromMilliseconds(50);

    public static Task TrueAsync(Func<bool> condition, TimeSpan? patience = null) =>
        TrueAsync(() => Task.FromResult(condition()), patience);

    public static async Task TrueAsync(Func<Task<bool>> condition, TimeSpan? patience = null)
    {
        var watch = Stopwatch.StartNew();
        while (!await condition())
        {
            if (watch.Elapsed > (patience ?? Patience))
                throw new TimeoutException($"It did not become true within {patience ?? Patience}.");
            await Task.Delay(LookAgainAfter, TimeProvider.System);
        }
    }

    /// <summary>Asks until the answer is not <see langword="null"/>.</summary>
    public static async Task<T> NotNullAsync<T>(Func<Task<T?>> ask, TimeSpan? patience = null) where T : class
    {
        T? answer = null;
        await TrueAsync(async () => (answer = await ask()) is not null, patience);
        return answer!;
    }
}
