namespace NewarBots.AppHost.Bots;

/// <summary>A bot as the manager's API shows it: what of that the dashboard needs.</summary>
internal sealed record ManagedBot(
    string Id,
    string Status,
    string? Reason,
    string MeetingUrl,
    string BotName,
    string UserId,
    string ContainerName,
    DateTimeOffset CreatedAt,
    DateTimeOffset? RecordingAt,
    DateTimeOffset? EndedAt,
    int Chunks,
    double RecordedSeconds,
    int? Participants,
    ManagedRecording? Recording,
    string? Error)
{
    public DateTimeOffset? StartAt { get; init; }

    public bool IsScheduled => Status is "scheduled";

    public bool HasEnded => Status is "completed" or "failed";

    /// <summary>Neither over nor about to be.</summary>
    public bool CanBeStopped => !HasEnded && Status is not ("leaving" or "finalizing");
}

internal sealed record ManagedRecording(bool Complete);

internal sealed record ManagedBotPage(IReadOnlyList<ManagedBot> Items, string? NextCursor);
