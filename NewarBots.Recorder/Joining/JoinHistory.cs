using System.Collections.Immutable;

namespace NewarBots.Recorder.Joining;

/// <summary>What was done so far on the way into a call, so that nothing is done twice too fast or for ever.</summary>
/// <param name="LastProgressAt">When the way began, or something was last done, or the waiting room was last seen.</param>
/// <param name="WaitingSince">When the waiting room was first seen.</param>
internal sealed record JoinHistory(DateTimeOffset LastProgressAt, DateTimeOffset? WaitingSince = null)
{
    /// <summary>So long may a page stay one that nothing can be done about.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan Cooldown = TimeSpan.FromSeconds(3);

    private const int MaxActs = 5;

    private ImmutableDictionary<string, (int Count, DateTimeOffset LastAt)> Acts { get; init; } =
        ImmutableDictionary<string, (int, DateTimeOffset)>.Empty;

    public JoinHistory WithAct(PageMatch target, DateTimeOffset now) => this with
    {
        LastProgressAt = now,
        Acts = Acts.SetItem(target.Entry, (Acts.GetValueOrDefault(target.Entry).Count + 1, now)),
    };

    public JoinHistory WithWaitingRoom(DateTimeOffset now) => this with { LastProgressAt = now, WaitingSince = WaitingSince ?? now };

    /// <summary>It was tried often enough to know that it does not help.</summary>
    public bool IsExhausted(PageMatch target) => Acts.GetValueOrDefault(target.Entry).Count >= MaxActs;

    /// <summary>The page had time to answer what was done last.</summary>
    public bool MayAct(PageMatch target, DateTimeOffset now) =>
        !IsExhausted(target) && (!Acts.TryGetValue(target.Entry, out var act) || now - act.LastAt >= Cooldown);
}
