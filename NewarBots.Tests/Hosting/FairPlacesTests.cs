using Microsoft.Extensions.Time.Testing;
using NewarBots.Manager.Hosting;

namespace NewarBots.Tests.Hosting;

public sealed class FairPlacesTests
{
    private readonly FakeTimeProvider _time = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Users_take_turns_however_many_requests_one_of_them_has()
    {
        var places = new FairPlaces(total: 1, ofOneUser: 1, maxWaiting: 10, _time);
        var order = new List<string>();
        var first = await places.TakeAsync("anna", revoke: null, Cancellation);
        var waiting = new[] { "anna 1", "anna 2", "anna 3", "bert 1", "bert 2", "carl 1" }.Select(UseAsync).ToList();

        first!.Dispose();
        await Task.WhenAll(waiting);

        Assert.Equal(["bert 1", "carl 1", "anna 1", "bert 2", "anna 2", "anna 3"], order);

        async Task UseAsync(string name)
        {
            using var place = await places.TakeAsync(name.Split(' ')[0], revoke: null, Cancellation);
            order.Add(name);
        }
    }

    [Fact]
    public async Task A_user_with_fewer_places_comes_first()
    {
        var places = new FairPlaces(total: 2, ofOneUser: 2, maxWaiting: 10, _time);
        using var kept = await places.TakeAsync("anna", revoke: null, Cancellation);
        var ending = await places.TakeAsync("anna", revoke: null, Cancellation);
        var third = places.TakeAsync("anna", revoke: null, Cancellation);
        var other = places.TakeAsync("bert", revoke: null, Cancellation);

        ending!.Dispose();

        using var got = await other;
        Assert.False(third.IsCompleted);
        got!.Dispose();
        (await third)!.Dispose();
    }

    [Fact]
    public async Task A_user_has_no_more_places_than_one_may_have_and_no_more_requests_wait_than_may()
    {
        var places = new FairPlaces(total: 4, ofOneUser: 2, maxWaiting: 1, _time);
        await places.TakeAsync("anna", revoke: null, Cancellation);
        Assert.False(places.HasAll("anna"));
        await places.TakeAsync("anna", revoke: null, Cancellation);
        var waiting = places.TakeAsync("anna", revoke: null, Cancellation);

        Assert.Null(await places.TakeAsync("anna", revoke: null, Cancellation));

        Assert.True(places.HasAll("anna"));
        Assert.False(waiting.IsCompleted);
        Assert.NotNull(await places.TakeAsync("bert", revoke: null, Cancellation));
    }

    [Fact]
    public async Task A_wait_that_is_cancelled_takes_no_place()
    {
        var places = new FairPlaces(total: 1, ofOneUser: 1, maxWaiting: 10, _time);
        var first = await places.TakeAsync("anna", revoke: null, Cancellation);
        using var end = new CancellationTokenSource();
        var leaving = places.TakeAsync("bert", revoke: null, end.Token);
        var staying = places.TakeAsync("carl", revoke: null, Cancellation);

        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaving);
        first!.Dispose();

        Assert.NotNull(await staying);
    }

    [Fact]
    public async Task The_longest_held_place_of_the_user_with_the_most_is_revoked_for_one_with_fewer_but_not_before_ten_seconds()
    {
        var places = new FairPlaces(total: 4, ofOneUser: 4, maxWaiting: 10, _time);
        var revoked = new List<int>();
        var held = new List<IDisposable?>();
        for (var number = 0; number < 4; number++)
        {
            var index = number;
            held.Add(await places.TakeAsync("anna", () => revoked.Add(index), Cancellation));
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        var first = places.TakeAsync("bert", () => Assert.Fail("It has fewer places than the other."), Cancellation);
        _time.Advance(TimeSpan.FromSeconds(4));
        Assert.Empty(revoked);
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal([0], revoked);
        held[0]!.Dispose();
        Assert.NotNull(await first);

        // With two places each, nothing more is revoked.
        var second = places.TakeAsync("bert", revoke: null, Cancellation);
        var third = places.TakeAsync("bert", revoke: null, Cancellation);
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal([0, 1], revoked);
        held[1]!.Dispose();
        Assert.NotNull(await second);
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal([0, 1], revoked);
        Assert.False(third.IsCompleted);
    }

    [Fact]
    public async Task A_place_that_is_free_again_is_not_revoked()
    {
        var places = new FairPlaces(total: 2, ofOneUser: 2, maxWaiting: 10, _time);
        using var ended = await places.TakeAsync("anna", () => Assert.Fail("It has ended."), Cancellation);
        var revoked = false;
        using var running = await places.TakeAsync("anna", () => revoked = true, Cancellation);
        ended!.Dispose();
        using var again = await places.TakeAsync("anna", revoke: null, Cancellation);
        using var waiting = new CancellationTokenSource();
        var other = places.TakeAsync("bert", revoke: null, waiting.Token);

        _time.Advance(TimeSpan.FromSeconds(30));

        Assert.True(revoked);
        running!.Dispose();
        Assert.NotNull(await other);
    }
}
