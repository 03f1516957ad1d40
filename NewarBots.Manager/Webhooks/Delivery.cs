using System.Text.Json.Serialization;
using NewarBots.Contract;

namespace NewarBots.Manager.Webhooks;

/// <summary>One message to one webhook, with what became of it so far.</summary>
internal sealed record Delivery
{
    private const int EarlierAttemptsKept = 20;

    /// <summary>The message's, the same in each attempt: by it receivers know what they have had already.</summary>
    public required string Id { get; init; }

    public required string Type { get; init; }

    public required string Payload { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DeliveryStatus Status { get; init; } = DeliveryStatus.Pending;

    public IReadOnlyList<DeliveryAttempt> Attempts { get; init; } = [];

    /// <summary>How many of the attempts belong to an earlier sending, before somebody asked for another one.</summary>
    public int EarlierAttempts { get; init; }

    public DateTimeOffset? NextAttemptAt { get; init; }

    /// <summary>What an attempt makes of it.</summary>
    /// <param name="attempt">The latest.</param>
    /// <param name="chance">From 0 to 1: how much later than it must be the next one comes.</param>
    public Delivery After(DeliveryAttempt attempt, double chance)
    {
        IReadOnlyList<DeliveryAttempt> attempts = [.. Attempts, attempt];
        if (attempt.IsTaken)
            return this with { Attempts = attempts, Status = DeliveryStatus.Delivered, NextAttemptAt = null };
        return !attempt.IsGone && RetrySchedule.WaitAfter(attempts.Count - EarlierAttempts, attempt.RetryAfter, chance) is { } wait
            ? this with { Attempts = attempts, NextAttemptAt = attempt.At + wait }
            : (this with { Attempts = attempts }).GivenUp();
    }

    public Delivery GivenUp() => this with { Status = DeliveryStatus.Failed, NextAttemptAt = null };

    /// <summary>Sent once more from the beginning, whatever became of it. Of its attempts so far the latest are remembered.</summary>
    public Delivery Again(DateTimeOffset now) =>
        this with
        {
            Status = DeliveryStatus.Pending,
            Attempts = [.. Attempts.TakeLast(EarlierAttemptsKept)],
            EarlierAttempts = Math.Min(Attempts.Count, EarlierAttemptsKept),
            NextAttemptAt = now,
        };
}

[JsonConverter(typeof(SnakeCaseEnumConverter<DeliveryStatus>))]
internal enum DeliveryStatus
{
    /// <summary>To be sent, perhaps once more.</summary>
    Pending,

    /// <summary>The receiver has taken it.</summary>
    Delivered,

    /// <summary>Given up.</summary>
    Failed,
}

/// <param name="At">When it began.</param>
/// <param name="DurationSeconds">Until the answer, or until it was given up.</param>
/// <param name="HttpStatus">Of the answer.</param>
/// <param name="Error">Why it failed.</param>
/// <param name="RetryAfter">How long the receiver asked to be left alone.</param>
internal sealed record DeliveryAttempt(DateTimeOffset At, double DurationSeconds, int? HttpStatus, string? Error, TimeSpan? RetryAfter = null)
{
    [JsonIgnore]
    public bool IsTaken => HttpStatus is >= 200 and < 300;

    /// <summary>The receiver wants nothing more, ever.</summary>
    [JsonIgnore]
    public bool IsGone => HttpStatus is StatusCodes.Status410Gone;
}
