namespace NewarBots.Contract;

/// <summary>When a bot leaves by itself. Each is a duration from the moment its condition began to hold.</summary>
public sealed record LeaveConditions
{
    /// <summary>Longest wait to be let in. Reason <see cref="EndReason.WaitingRoomTimeout"/>.</summary>
    public TimeSpan WaitingRoomTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Longest time alone in a call that nobody else has joined yet. Reason <see cref="EndReason.NobodyJoined"/>.</summary>
    public TimeSpan NobodyJoinedTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Longest time alone after others were there. Reason <see cref="EndReason.EveryoneLeft"/>.</summary>
    public TimeSpan EveryoneLeftTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Longest silence; off where <see langword="null"/>. Reason <see cref="EndReason.Silence"/>.</summary>
    public TimeSpan? SilenceTimeout { get; init; }

    /// <summary>Longest life of the recorder, from its start. Reason <see cref="EndReason.MaxDuration"/>.</summary>
    public TimeSpan MaxDuration { get; init; } = TimeSpan.FromHours(4);
}
