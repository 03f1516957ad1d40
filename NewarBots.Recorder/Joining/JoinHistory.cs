using System.Collections.Immutable;
using NewarBots.Contract;

namespace NewarBots.Recorder.Joining;

/// <summary>What was done so far on the way into a call, so that nothing is done twice too fast or for ever.</summary>
/// <param name="LastProgressAt">When the way began, or something was last done, or the waiting room was last seen.</param>
/// <param name="WaitingSince">When the waiting room was first seen.</param>
/// <param name="AtDoorSince">Since when there is a button to join by.</param>
internal sealed record JoinHistory(DateTimeOffset LastProgressAt, DateTimeOffset? WaitingSince = null, DateTimeOffset? AtDoorSince = null)
{
    /// <summary>So long may a page stay one that nothing can be done about.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>So long may a button be covered before it is pressed all the same.</summary>
    public static readonly TimeSpan CoveredPatience = TimeSpan.FromSeconds(5);

    /// <summary>So long after the join button, a control for a microphone or a camera may still appear.</summary>
    public static readonly TimeSpan DevicesPatience = TimeSpan.FromSeconds(4);

    private static readonly TimeSpan Cooldown = TimeSpan.FromSeconds(3);

    private const int MaxActsOnOne = 5;
    private const int MaxActs = 100;

    private ImmutableDictionary<string, (int Count, DateTimeOffset LastAt)> ActsOnShown { get; init; } =
        ImmutableDictionary<string, (int, DateTimeOffset)>.Empty;

    private int Acts { get; init; }

    /// <summary>Takes note of what the page shows: what went away and comes back is another one.</summary>
    public JoinHistory WithView(PageView view, DateTimeOffset now) => this with
    {
        AtDoorSince = view.Shows(PageSign.JoinButton) ? AtDoorSince ?? now : null,
        ActsOnShown = ActsOnShown.RemoveRange(ActsOnShown.Keys.Where(entry => view.Matches.All(match => match.Entry != entry))),
    };

    public JoinHistory WithAct(PageMatch target, DateTimeOffset now) => this with
    {
        LastProgressAt = now,
        ActsOnShown = ActsOnShown.SetItem(target.Entry, (ActsOnShown.GetValueOrDefault(target.Entry).Count + 1, now)),
        Acts = Acts + 1,
    };

    public JoinHistory WithWaitingRoom(DateTimeOffset now) => this with { LastProgressAt = now, WaitingSince = WaitingSince ?? now };

    /// <summary>It was tried often enough to know that it does not help.</summary>
    public bool IsExhausted(PageMatch target) => Acts >= MaxActs || ActsOnShown.GetValueOrDefault(target.Entry).Count >= MaxActsOnOne;

    /// <summary>The page had time to answer what was done last.</summary>
    public bool MayAct(PageMatch target, DateTimeOffset now) =>
        !IsExhausted(target) && (!ActsOnShown.TryGetValue(target.Entry, out var act) || now - act.LastAt >= Cooldown);
}
