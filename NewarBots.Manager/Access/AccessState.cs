using System.Collections.Frozen;

namespace NewarBots.Manager.Access;

/// <summary>Who is let in, as the <see cref="KeyFile"/> says.</summary>
internal abstract record AccessState
{
    /// <summary>There are no keys, and never were: whoever is on this machine is let in.</summary>
    public sealed record Anonymous : AccessState
    {
        public static Anonymous One { get; } = new();
    }

    /// <summary>Who has a key is let in.</summary>
    public sealed record Keyed(KeyList List) : AccessState
    {
        private readonly FrozenDictionary<string, AccessKey> _keys = List.Keys.ToFrozenDictionary(key => key.Id);
        private readonly FrozenDictionary<string, AccessSession> _sessions = List.Sessions.ToFrozenDictionary(session => session.Id);

        /// <returns>Whose key this is; <see langword="null"/> where it is nobody's.</returns>
        public Caller? Find(Credential credential) =>
            _keys.GetValueOrDefault(credential.Id) is var key && credential.Matches(key?.Hash) ? Caller.With(key!) : null;

        /// <returns>Whose session this is; <see langword="null"/> where it is nobody's, or over.</returns>
        public Caller? FindSession(Credential credential, DateTimeOffset now) =>
            _sessions.GetValueOrDefault(credential.Id) is var session && credential.Matches(session?.Hash) && session!.ExpiresAt > now
                && _keys.GetValueOrDefault(session.KeyId) is { } key
                ? Caller.With(key) with { Session = session }
                : null;
    }

    /// <summary>Nobody is let in: there were keys, and they cannot be read.</summary>
    /// <param name="Why">For whoever has to mend it.</param>
    public sealed record Unavailable(string Why) : AccessState;

    /// <summary>Whether one who came in earlier would be let in still.</summary>
    public bool StillLetsIn(Caller caller, DateTimeOffset now) => this switch
    {
        Anonymous => caller.Key is null,
        Keyed { List: var list } => list.Keys.Any(key => key.Id == caller.Key?.Id)
            && (caller.Session is not { } session || (session.ExpiresAt > now && list.Sessions.Any(other => other.Id == session.Id))),
        _ => false,
    };
}

/// <summary>All keys and sessions, as they are kept.</summary>
internal sealed record KeyList(IReadOnlyList<AccessKey> Keys, IReadOnlyList<AccessSession> Sessions)
{
    /// <summary>More browsers at once than one key's owner has; the oldest sessions end before.</summary>
    private const int MaxSessionsPerKey = 50;

    public static KeyList Empty { get; } = new([], []);

    public KeyList Add(AccessKey key) => this with { Keys = [.. Keys, key] };

    public KeyList Remove(AccessKey key) => new(
        [.. Keys.Where(other => other.Id != key.Id)], [.. Sessions.Where(session => session.KeyId != key.Id)]);

    /// <summary>Adds a session; what is over by now goes.</summary>
    public KeyList Add(AccessSession session, DateTimeOffset now)
    {
        var others = Sessions.Where(other => other.ExpiresAt > now).ToLookup(other => other.KeyId == session.KeyId);
        return this with { Sessions = [.. others[false], .. others[true].TakeLast(MaxSessionsPerKey - 1), session] };
    }

    public KeyList Remove(AccessSession session) => this with { Sessions = [.. Sessions.Where(other => other.Id != session.Id)] };
}
