using System.Collections.Frozen;

namespace NewarBots.Manager.Access;

/// <summary>Which callers are allowed, according to the <see cref="KeyFile"/>.</summary>
internal abstract record AccessState
{
    /// <summary>No keys exist and none existed before: local callers are allowed.</summary>
    public sealed record Anonymous : AccessState
    {
        public static Anonymous Instance { get; } = new();
    }

    /// <summary>Callers with a key are allowed.</summary>
    public sealed record Keyed(KeyList List) : AccessState
    {
        private readonly FrozenDictionary<string, AccessKey> _keys = List.Keys.ToFrozenDictionary(key => key.Id);
        private readonly FrozenDictionary<string, AccessSession> _sessions = List.Sessions.ToFrozenDictionary(session => session.Id);

        /// <returns>The key's caller; <see langword="null"/> for an unknown key.</returns>
        public Caller? Find(Credential credential) =>
            _keys.GetValueOrDefault(credential.Id) is var key && credential.Matches(key?.Hash) ? Caller.Of(key!) : null;

        /// <returns>The session's caller; <see langword="null"/> for an unknown or expired session.</returns>
        public Caller? FindSession(Credential credential, DateTimeOffset now) =>
            _sessions.GetValueOrDefault(credential.Id) is var session && credential.Matches(session?.Hash) && session!.ExpiresAt > now
                && _keys.GetValueOrDefault(session.KeyId) is { } key
                ? Caller.Of(key) with { Session = session }
                : null;
    }

    /// <summary>No caller is allowed, because the keys cannot be read.</summary>
    /// <param name="Reason">The cause and the fix, for the operator.</param>
    public sealed record Unavailable(string Reason) : AccessState;

    /// <summary>Whether a caller that was allowed earlier still is.</summary>
    public bool StillAllows(Caller caller, DateTimeOffset now) => this switch
    {
        Anonymous => caller.Key is null,
        Keyed { List: var list } => list.Keys.Any(key => key.Id == caller.Key?.Id)
            && (caller.Session is not { } session || (session.ExpiresAt > now && list.Sessions.Any(other => other.Id == session.Id))),
        _ => false,
    };
}

/// <summary>All keys and sessions, as stored.</summary>
internal sealed record KeyList(IReadOnlyList<AccessKey> Keys, IReadOnlyList<AccessSession> Sessions)
{
    /// <summary>More browsers than the owner of one key uses. The oldest sessions are dropped first.</summary>
    private const int MaxSessionsPerKey = 50;

    public static KeyList Empty { get; } = new([], []);

    public KeyList Add(AccessKey key) => this with { Keys = [.. Keys, key] };

    public KeyList Remove(AccessKey key) => new(
        [.. Keys.Where(other => other.Id != key.Id)], [.. Sessions.Where(session => session.KeyId != key.Id)]);

    /// <summary>Adds a session and removes expired ones.</summary>
    public KeyList Add(AccessSession session, DateTimeOffset now)
    {
        var others = Sessions.Where(other => other.ExpiresAt > now).ToLookup(other => other.KeyId == session.KeyId);
        return this with { Sessions = [.. others[false], .. others[true].TakeLast(MaxSessionsPerKey - 1), session] };
    }

    public KeyList Remove(AccessSession session) => this with { Sessions = [.. Sessions.Where(other => other.Id != session.Id)] };
}
