namespace NewarBots.Contract;

/// <summary>Timeouts after which a bot leaves, each measured from the moment its condition began.</summary>
public sealed record LeaveConditions
{
    /// <summary>Longest time in the waiting room. Reason <see cref="EndReason.WaitingRoomTimeout"/>.</summary>
    public TimeSpan WaitingRoomTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Longest time alone in a call that nobody else has joined yet. Reason <see cref="EndReason.NobodyJoined"/>.</summary>
    public TimeSpan NobodyJoinedTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Longest time alone after others were there. Reason <see cref="EndReason.EveryoneLeft"/>.</summary>
    public TimeSpan EveryoneLeftTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Longest silence; <see langword="null"/> disables it. Reason <see cref="EndReason.Silence"/>.</summary>
    public TimeSpan? SilenceTimeout { get; init; }

    /// <summary>Longest run of the recorder, from its start. Reason <see cref="EndReason.MaxDuration"/>.</summary>
    public TimeSpan MaxDuration { get; init; } = TimeSpan.FromHours(4);
}
