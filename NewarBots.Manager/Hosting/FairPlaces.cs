namespace NewarBots.Manager.Hosting;

/// <summary>
/// A limited number of places that users share. A free place goes to the waiting request whose user has the fewest places and earlier requests, then to
/// the user whose last turn is longest ago, and then to the request that has waited longest. So many requests of one user do not hold up the few of another.
/// </summary>
/// <param name="total">Places in total.</param>
/// <param name="ofOneUser">Places that one user may have.</param>
/// <param name="maxWaiting">Requests of one user that may wait.</param>
/// <param name="time">Measures how long places are held.</param>
internal sealed class FairPlaces(int total, int ofOneUser, int maxWaiting, TimeProvider time)
{
    /// <summary>A place is not revoked before it was held for this long.</summary>
    public static readonly TimeSpan ShortestUse = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan CheckInterval = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly List<Place> _taken = [];
    private readonly List<Request> _waiting = [];

    /// <summary>The number of each user's last turn, while any request waits.</summary>
    private readonly Dictionary<string, long> _turns = [];
    private long _turn;

    /// <summary>Takes a place, and waits for it if necessary.</summary>
    /// <param name="user">The user.</param>
    /// <param name="revoke">
    /// Ends the use of the place early, so that it is disposed of soon: called if a user with fewer places waits. <see langword="null"/>: the place is kept.
    /// </param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <returns>The place, which is free again when it is disposed of; <see langword="null"/> if too many requests of the user wait.</returns>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    public async Task<IDisposable?> TakeAsync(string user, Action? revoke, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var request = new Request(user, revoke);
        lock (_lock)
        {
            _waiting.Add(request);
            Assign();
            if (!request.Place.IsCompleted && _waiting.Count(other => other.User == user) > maxWaiting)
            {
                _waiting.Remove(request);
                return null;
            }
        }

        await using var timer = request.Place.IsCompleted ? null : time.CreateTimer(_ => Revoke(), state: null, TimeSpan.Zero, CheckInterval);
        await using var end = cancellation.Register(() =>
        {
            lock (_lock)
                _waiting.Remove(request);
            request.Cancel(cancellation);
        });
        return await request.Place;
    }

    /// <summary>Whether the user has as many places as one user may have.</summary>
    public bool HasAll(string user)
    {
        lock (_lock)
            return PlacesOf(user) >= ofOneUser;
    }

    private int PlacesOf(string user) => _taken.Count(place => place.User == user);

    /// <summary>The requests that may have a place, the next first, each with the number of places that its user has by then.</summary>
    private List<(Request Request, int Before)> InOrder() =>
    [
        .. _waiting.Index()
            .GroupBy(waiting => waiting.Item.User)
            .SelectMany(ofUser => ofUser.Select((waiting, index) => (waiting.Item, Before: PlacesOf(ofUser.Key) + index, Arrival: waiting.Index)))
            .Where(waiting => waiting.Before < ofOneUser)
            .OrderBy(waiting => waiting.Before).ThenBy(waiting => _turns.GetValueOrDefault(waiting.Item.User)).ThenBy(waiting => waiting.Arrival)
            .Select(waiting => (waiting.Item, waiting.Before)),
    ];

    private void Assign()
    {
        foreach (var (request, _) in InOrder().Take(Math.Max(0, total - _taken.Count)))
        {
            _waiting.Remove(request);
            _turns[request.User] = ++_turn;
            var place = new Place(request.User, request.Revoke, time.GetTimestamp(), Free);
            // The wait may have been cancelled at this moment.
            if (request.TryGive(place))
                _taken.Add(place);
        }

        if (_waiting.Count == 0)
        {
            _turns.Clear();
            foreach (var user in _taken.Select(place => place.User).Distinct())
                _turns[user] = ++_turn;
        }
    }

    private void Free(Place place)
    {
        lock (_lock)
        {
            _taken.Remove(place);
            Assign();
        }
    }

    /// <summary>Takes places from the users with the most, the longest held first, until no user that waits has two fewer than another.</summary>
    private void Revoke()
    {
        var revoked = new List<Place>();
        lock (_lock)
        {
            foreach (var (_, before) in InOrder().Skip(total - _taken.Count + _taken.Count(place => place.IsRevoked)))
            {
                var longest = _taken.Where(place => !place.IsRevoked).GroupBy(place => place.User)
                    .Where(ofUser => ofUser.Count() > before + 1)
                    .OrderByDescending(ofUser => ofUser.Count())
                    .SelectMany(ofUser => ofUser)
                    .FirstOrDefault(place => place.CanRevoke && time.GetElapsedTime(place.Since) >= ShortestUse);
                if (longest is null)
                    break;
                longest.IsRevoked = true;
                revoked.Add(longest);
            }
        }

        revoked.ForEach(place => place.Revoke());
    }

    private sealed class Request(string user, Action? revoke)
    {
        // A place is given within the lock, where nobody else's code may run.
        private readonly TaskCompletionSource<IDisposable?> _place = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public string User => user;

        public Action? Revoke => revoke;

        public Task<IDisposable?> Place => _place.Task;

        public bool TryGive(Place place) => _place.TrySetResult(place);

        public void Cancel(CancellationToken cancellation) => _place.TrySetCanceled(cancellation);
    }

    private sealed class Place(string user, Action? revoke, long since, Action<Place> free) : IDisposable
    {
        private readonly Lock _use = new();
        private bool _isFree;

        public string User => user;

        public long Since => since;

        public bool CanRevoke => revoke is not null;

        public bool IsRevoked { get; set; }

        /// <summary>Once the place is free, its connection may serve another request.</summary>
        public void Revoke()
        {
            lock (_use)
            {
                if (!_isFree)
                    revoke?.Invoke();
            }
        }

        public void Dispose()
        {
            lock (_use)
            {
                if (_isFree)
                    return;
                _isFree = true;
            }

            free(this);
        }
    }
}
