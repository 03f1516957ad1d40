using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using NewarBots.Contract;
using NewarBots.Manager.Hosting;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Hosting;

public sealed class BackgroundLoopsTests : IDisposable
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly FakeTimeProvider _time = new();
    private readonly CancellationTokenSource _host = new();
    private readonly BackgroundLoops _loops;
    private int _turns;

    public BackgroundLoopsTests() => _loops = new(_time, NullLogger<BackgroundLoops>.Instance);

    public void Dispose() => _host.Dispose();

    [Fact]
    public async Task Loop_continues_after_a_failed_turn_and_ends_with_the_host()
    {
        var loop = _loops.RunAsync("test", Second, _ => throw new InvalidOperationException($"{++_turns}"), _host.Token);

        await TurnAsync();
        await TurnAsync();
        Assert.False(loop.IsCompleted);
        await _host.CancelAsync();
        await loop.WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System);
    }

    [Fact]
    public async Task Health_names_a_loop_that_keeps_failing_until_it_succeeds_again()
    {
        var isBroken = true;
        var loop = _loops.RunAsync("test", Second, _ => ++_turns > 0 && isBroken ? throw new IOException("no disk") : Task.CompletedTask, _host.Token);
        await TurnAsync();
        Assert.Equal(HealthStatus.Healthy, (await HealthAsync()).Status);

        _time.Advance(BackgroundLoops.DefaultTimeout);
        await TurnAsync();
        var health = await HealthAsync();
        Assert.Equal(HealthStatus.Degraded, health.Status);
        Assert.StartsWith("'test' has not succeeded for 00:01:", health.Description, StringComparison.Ordinal);
        Assert.EndsWith("no disk", health.Description, StringComparison.Ordinal);

        isBroken = false;
        await TurnAsync();
        await Eventually.TrueAsync(async () => (await HealthAsync()).Status is HealthStatus.Healthy);
        await _host.CancelAsync();
        await loop;
    }

    [Fact]
    public async Task Health_names_a_loop_that_hangs()
    {
        var hangs = new TaskCompletionSource();
        var loop = _loops.RunAsync("test", Second, _ => hangs.Task, _host.Token);

        _time.Advance(BackgroundLoops.DefaultTimeout + Second);

        Assert.Equal("'test' has not succeeded for 00:01:01: it hangs", (await HealthAsync()).Description);
        hangs.SetResult();
        await Eventually.TrueAsync(async () => (await HealthAsync()).Status is HealthStatus.Healthy);
        await _host.CancelAsync();
        await loop;
    }

    [Fact]
    public async Task Unexpected_error_in_one_piece_of_work_does_not_stop_the_queue()
    {
        var queue = new BotWorkQueue(NullLogger.Instance);
        var done = new TaskCompletionSource<SessionId>();
        var (fails, succeeds) = (SessionId.New(TimeProvider.System), SessionId.New(TimeProvider.System));
        var processing = queue.ProcessAsync(
            parallelism: 1,
            (id, _) =>
            {
                if (id == fails)
                    throw new InvalidOperationException("Unexpected.");
                done.TrySetResult(id);
                return Task.CompletedTask;
            },
            _host.Token);

        queue.Enqueue(fails);
        queue.Enqueue(succeeds);

        Assert.Equal(succeeds, await done.Task.WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System));
        await _host.CancelAsync();
        await processing;
    }

    /// <summary>Advances the clock until the loop has run one more turn; it may not have begun to wait yet.</summary>
    private Task TurnAsync()
    {
        var before = _turns;
        return Eventually.TrueAsync(() =>
        {
            if (_turns == before)
                _time.Advance(Second);
            return _turns > before;
        });
    }

    private Task<HealthCheckResult> HealthAsync() => new BackgroundLoopsHealthCheck(_loops).CheckHealthAsync(new());
}
