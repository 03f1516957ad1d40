using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using NewarBots.Contract;
using NewarBots.Manager.Access;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Access;

public sealed class StreamLimitsTests : IAsyncDisposable
{
    private readonly StreamLimits _limits = new(Options.Create(new AccessOptions { EventStreams = 3, EventStreamsPerKey = 2 }), TimeProvider.System);
    private readonly List<Request> _requests = [];

    public async ValueTask DisposeAsync()
    {
        _requests.ForEach(request => request.Context.Abort());
        // A request that does not end would be aborted by its timer, long after this test.
        foreach (var request in _requests)
            await request.EndAsync();
        _requests.ForEach(request => request.Dispose());
        _limits.Dispose();
    }

    [Fact]
    public async Task A_caller_may_have_its_own_number_of_event_streams_and_all_callers_together_the_managers()
    {
        var first = Call("anna");
        Assert.Null(await first.EnterAsync(StreamKind.Events));
        Assert.Null(await Call("anna").EnterAsync(StreamKind.Events));
        AssertRejected(429, 2, await Call("anna").EnterAsync(StreamKind.Events));
        Assert.Null(await Call("bert").EnterAsync(StreamKind.Events));
        var late = Call("bert");
        AssertRejected(503, 3, await late.EnterAsync(StreamKind.Events));
        Assert.Equal("10", late.Context.Response.Headers.RetryAfter);

        await first.EndAsync();
        await late.EndAsync();

        Assert.Null(await Call("bert").EnterAsync(StreamKind.Events));
    }

    [Fact]
    public async Task A_download_waits_for_a_place_and_gives_it_up_when_its_client_leaves()
    {
        var running = new List<Request>();
        for (var i = 0; i < 8; i++)
        {
            running.Add(Call("anna"));
            Assert.Null(await running[^1].EnterAsync(StreamKind.Download));
        }

        var gone = Call("anna");
        var leaving = gone.EnterAsync(StreamKind.Download);
        var waiting = Call("anna").EnterAsync(StreamKind.Download);
        Assert.False(leaving.IsCompleted || waiting.IsCompleted);
        gone.Context.Abort();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaving);
        Assert.False(waiting.IsCompleted);
        Assert.Null(await Call("bert").EnterAsync(StreamKind.Download));

        await running[0].EndAsync();

        Assert.Null(await waiting.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Slow_downloads_of_two_callers_cannot_keep_another_from_downloading()
    {
        var time = new FakeTimeProvider();
        using var limits = new StreamLimits(Options.Create(new AccessOptions()), time);
        foreach (var user in (string[])["anna", "bert"])
        {
            for (var i = 0; i < 8; i++)
                Assert.Null(await Call(user, limits).EnterAsync(StreamKind.Download));
        }

        var slow = _requests.ToList();
        var carl = Call("carl", limits).EnterAsync(StreamKind.Download);
        time.Advance(TimeSpan.FromSeconds(5));
        Assert.DoesNotContain(slow, request => request.Context.RequestAborted.IsCancellationRequested);
        time.Advance(TimeSpan.FromSeconds(6));
        var aborted = Assert.Single(slow, request => request.Context.RequestAborted.IsCancellationRequested);
        await aborted.EndAsync();

        Assert.Null(await carl);
    }

    [Fact]
    public async Task More_waiting_downloads_than_the_queue_holds_are_rejected()
    {
        var requests = Enumerable.Range(0, 8 + 100).Select(_ => Call("anna").EnterAsync(StreamKind.Download)).ToList();

        AssertRejected(429, 8, await Call("anna").EnterAsync(StreamKind.Download));
        Assert.Equal(8, requests.Count(request => request.IsCompleted));
        foreach (var request in _requests)
            request.Context.Abort();
        await Task.WhenAll(requests).ContinueWith(_ => { }, TestContext.Current.CancellationToken, TaskContinuationOptions.None, TaskScheduler.Default);
    }

    private static void AssertRejected(int status, int limit, ProblemHttpResult? problem)
    {
        Assert.Equal((status, limit), (problem!.StatusCode, problem.ProblemDetails.Extensions["limit"]));
    }

    private Request Call(string user) => Call(user, _limits);

    private Request Call(string user, StreamLimits limits)
    {
        _requests.Add(new(limits, user));
        return _requests[^1];
    }

    private sealed class Request : IDisposable
    {
        private readonly StreamLimits _limits;
        private readonly Ending _ending = new();

        public Request(StreamLimits limits, string user)
        {
            _limits = limits;
            Context.Features.Set<IHttpResponseFeature>(_ending);
            Context.Features.Set<IHttpRequestLifetimeFeature>(new Lifetime());
            var key = new AccessKey(user, user, UserId.Parse(user), AccessRole.User, SampleBots.Noon, []);
            Context.User = Caller.Of(key).ToPrincipal("test");
        }

        public DefaultHttpContext Context { get; } = new();

        public Task<ProblemHttpResult?> EnterAsync(StreamKind kind) => _limits.EnterAsync(kind, Context);

        public Task EndAsync() => _ending.EndAsync();

        public void Dispose() => (Context.Features.Get<IHttpRequestLifetimeFeature>() as Lifetime)!.Dispose();
    }

    /// <summary>Runs what a request registered for its end, like the server.</summary>
    private sealed class Ending : HttpResponseFeature
    {
        private readonly Stack<(Func<object, Task> Callback, object State)> _callbacks = [];

        public override void OnCompleted(Func<object, Task> callback, object state) => _callbacks.Push((callback, state));

        public async Task EndAsync()
        {
            while (_callbacks.TryPop(out var registered))
                await registered.Callback(registered.State);
        }
    }

    private sealed class Lifetime : IHttpRequestLifetimeFeature, IDisposable
    {
        private readonly CancellationTokenSource _aborted = new();

        public Lifetime() => RequestAborted = _aborted.Token;

        public CancellationToken RequestAborted { get; set; }

        public void Abort() => _aborted.Cancel();

        public void Dispose() => _aborted.Dispose();
    }
}
