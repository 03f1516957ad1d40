using System.Collections.Immutable;
using NewarBots.Contract;

namespace NewarBots.Recorder.Joining;

/// <summary>The actions taken while joining. Keeps them from being repeated too fast or forever.</summary>
/// <param name="LastProgressAt">When joining started, the last action was taken, or the waiting room was last seen.</param>
/// <param name="WaitingSince">When the waiting room was first seen.</param>
/// <param name="LobbySince">Since when the page has shown a join button.</param>
internal sealed record JoinHistory(DateTimeOffset LastProgressAt, DateTimeOffset? WaitingSince = null, DateTimeOffset? LobbySince = null)
{
    /// <summary>How long joining may make no progress.</summary>
    public static readonly TimeSpan StuckTimeout = TimeSpan.FromSeconds(60);

    /// <summary>How long a join button may be covered before it is pressed by keyboard.</summary>
    public static readonly TimeSpan CoveredTimeout = TimeSpan.FromSeconds(5);

    /// <summary>How long after the join button a microphone or camera control may appear.</summary>
    public static readonly TimeSpan DevicesTimeout = TimeSpan.FromSeconds(4);

    private static readonly TimeSpan Cooldown = TimeSpan.FromSeconds(3);

    private const int MaxActsPerTarget = 5;
    private const int MaxActs = 100;

    private ImmutableDictionary<string, (int Count, DateTimeOffset LastAt)> ActsOnShown { get; init; } =
        ImmutableDictionary<string, (int, DateTimeOffset)>.Empty;

    private int Acts { get; init; }

    /// <summary>Adds a look at the page. A control that disappears and comes back counts as another one.</summary>
    public JoinHistory WithView(PageView view, DateTimeOffset now) => this with
    {
        LobbySince = view.Shows(PageSign.JoinButton) ? LobbySince ?? now : null,
        ActsOnShown = ActsOnShown.RemoveRange(ActsOnShown.Keys.Where(entry => view.Matches.All(match => match.Entry != entry))),
    };

    public JoinHistory WithAct(PageMatch target, DateTimeOffset now) => this with
    {
        LastProgressAt = now,
        ActsOnShown = ActsOnShown.SetItem(target.Entry, (ActsOnShown.GetValueOrDefault(target.Entry).Count + 1, now)),
        Acts = Acts + 1,
    };

    public JoinHistory WithWaitingRoom(DateTimeOffset now) => this with { LastProgressAt = now, WaitingSince = WaitingSince ?? now };

    /// <summary>The target was tried too often without effect.</summary>
    public bool IsExhausted(PageMatch target) => Acts >= MaxActs || ActsOnShown.GetValueOrDefault(target.Entry).Count >= MaxActsPerTarget;

    /// <summary>The target is not exhausted, and the page had time to react to the last action on it.</summary>
    public bool MayAct(PageMatch target, DateTimeOffset now) =>
        !IsExhausted(target) && (!ActsOnShown.TryGetValue(target.Entry, out var act) || now - act.LastAt >= Cooldown);
}
