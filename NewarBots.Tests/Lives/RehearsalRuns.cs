using System.Collections.Concurrent;
using Xunit.Sdk;
using Xunit.v3;

namespace NewarBots.Tests.Lives;

/// <summary>
/// Runs rehearsals, several at a time. When the first test asks for its result, the rehearsals of all the other tests start too, in order.
/// </summary>
/// <param name="concurrency">How many run at a time.</param>
/// <param name="run">Runs the rehearsal with a query.</param>
internal sealed class RehearsalRuns<T>(int concurrency, Func<string, Task<T>> run) : IDisposable
{
    private readonly SemaphoreSlim _slots = new(concurrency);
    private readonly ConcurrentDictionary<string, Lazy<Task<T>>> _runs = new();

    public Task<T> ResultAsync(string query)
    {
        foreach (var next in RehearsalOrder.Queries)
            _ = Start(next);
        return Start(query);
    }

    public void Dispose() => _slots.Dispose();

    private Task<T> Start(string query) => _runs.GetOrAdd(query, one => new(() => RunAsync(one))).Value;

    private async Task<T> RunAsync(string query)
    {
        await _slots.WaitAsync();
        try
        {
            return await run(query);
        }
        finally
        {
            _slots.Release();
        }
    }
}

/// <summary>Collects the rehearsals of a class's tests, which are the first argument of each.</summary>
public sealed class RehearsalOrder : ITestCaseOrderer
{
    /// <summary>In the order of the tests.</summary>
    public static IReadOnlyList<string> Queries { get; private set; } = [];

    public IReadOnlyCollection<TTestCase> OrderTestCases<TTestCase>(IReadOnlyCollection<TTestCase> testCases) where TTestCase : notnull, ITestCase
    {
        var order = testCases.OrderBy(one => one.TestCaseDisplayName.Split('(')[0], StringComparer.Ordinal).ToList();
        Queries = [.. order.OfType<XunitTestCase>().Select(one => one.TestMethodArguments).OfType<object?[]>().Select(arguments => arguments.FirstOrDefault()).OfType<string>()];
        return order;
    }
}
