using NewarBots.Contract;

namespace NewarBots.Manager.Webhooks;

/// <summary>Somebody who is to be told what becomes of a user's bots. It lies as a file in the storage folder.</summary>
internal sealed record Webhook
{
    public required string Id { get; init; }

    public required UserId UserId { get; init; }

    public required Uri Url { get; init; }

    /// <summary>The types of events that it wants; all where there are none.</summary>
    public IReadOnlyList<string> Events { get; init; } = [];

    public string? Description { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>What its messages are signed with.</summary>
    public required string Secret { get; init; }

    /// <summary>The secret before, which goes on signing until <see cref="PreviousSecretUntil"/>, so that receivers can change theirs without a gap.</summary>
    public string? PreviousSecret { get; init; }

    public DateTimeOffset? PreviousSecretUntil { get; init; }

    /// <summary>Since when it is told nothing any more, because its receiver said 410 Gone.</summary>
    public DateTimeOffset? DisabledAt { get; init; }

    public bool Wants(UserId user, string type) =>
        DisabledAt is null && UserId == user && (Events.Count == 0 || Events.Contains(type));

    /// <summary>Those that sign at the moment, the current one first.</summary>
    public IEnumerable<string> SecretsAt(DateTimeOffset now) =>
        PreviousSecret is { } previous && now < PreviousSecretUntil ? [Secret, previous] : [Secret];
}
