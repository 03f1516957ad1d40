namespace NewarBots.Manager.Recordings;

/// <summary>Limits how many requests of one user may run or wait, so that no user keeps the others waiting for long.</summary>
/// <typeparam name="TUser">Identifies a user.</typeparam>
/// <param name="most">Requests of one user.</param>
internal sealed class WaitingLimit<TUser>(int most) where TUser : notnull
{
    private readonly Dictionary<TUser, int> _requests = [];

    /// <returns>Ends the request when it is disposed; <see langword="null"/> if the limit is reached.</returns>
    public IDisposable? TryEnter(TUser user)
    {
        lock (_requests)
        {
            var requests = _requests.GetValueOrDefault(user);
            if (requests >= most)
                return null;
            _requests[user] = requests + 1;
            return new Place(this, user);
        }
    }

    private void Leave(TUser user)
    {
        lock (_requests)
        {
            if (--_requests[user] == 0)
                _requests.Remove(user);
        }
    }

    private sealed class Place(WaitingLimit<TUser> limit, TUser user) : IDisposable
    {
        private bool _hasLeft;

        public void Dispose()
        {
            if (!Interlocked.Exchange(ref _hasLeft, value: true))
                limit.Leave(user);
        }
    }
}
