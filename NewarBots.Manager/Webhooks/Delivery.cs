using System.Text.Json.Serialization;
using NewarBots.Contract;

namespace NewarBots.Manager.Webhooks;

/// <summary>One message to one webhook, with its attempts so far.</summary>
internal sealed record Delivery
{
    private const int MaxEarlierAttempts = 20;

    /// <summary>The message's id. It is the same in each attempt, so that receivers can detect duplicates.</summary>
    public required string Id { get; init; }

    public required string Type { get; init; }

    public required string Payload { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DeliveryStatus Status { get; init; } = DeliveryStatus.Pending;

    public IReadOnlyList<DeliveryAttempt> Attempts { get; init; } = [];

    /// <summary>The number of attempts before the last redelivery was requested. They do not count as retries.</summary>
    public int EarlierAttempts { get; init; }

    public DateTimeOffset? NextAttemptAt { get; init; }

    /// <summary>The delivery after another attempt.</summary>
    /// <param name="attempt">The latest attempt.</param>
    /// <param name="jitter">From 0 to 1; see <see cref="RetrySchedule.DelayAfter"/>.</param>
    public Delivery After(DeliveryAttempt attempt, double jitter)
    {
        IReadOnlyList<DeliveryAttempt> attempts = [.. Attempts, attempt];
        if (attempt.IsSuccess)
            return this with { Attempts = attempts, Status = DeliveryStatus.Delivered, NextAttemptAt = null };
        return !attempt.IsGone && RetrySchedule.DelayAfter(attempts.Count - EarlierAttempts, attempt.RetryAfter, jitter) is { } delay
            ? this with { Attempts = attempts, NextAttemptAt = attempt.At + delay }
            : (this with { Attempts = attempts }).AsFailed();
    }

    public Delivery AsFailed() => this with { Status = DeliveryStatus.Failed, NextAttemptAt = null };

    /// <summary>The delivery with a full set of retries, in any state. Only its latest attempts are kept.</summary>
    public Delivery ForRedelivery(DateTimeOffset now) =>
        this with
        {
            Status = DeliveryStatus.Pending,
            Attempts = [.. Attempts.TakeLast(MaxEarlierAttempts)],
            EarlierAttempts = Math.Min(Attempts.Count, MaxEarlierAttempts),
            NextAttemptAt = now,
        };
}

[JsonConverter(typeof(SnakeCaseEnumConverter<DeliveryStatus>))]
internal enum DeliveryStatus
{
    /// <summary>Waits for its first attempt or a retry.</summary>
    Pending,

    /// <summary>The receiver responded with 2xx.</summary>
    Delivered,

    /// <summary>Not delivered, and not retried.</summary>
    Failed,
}

/// <param name="At">When it began.</param>
/// <param name="DurationSeconds">Time until the response or the timeout.</param>
/// <param name="HttpStatus">The response's status; <see langword="null"/> if there was no response.</param>
/// <param name="Error">Why it failed.</param>
/// <param name="RetryAfter">The receiver's Retry-After.</param>
internal sealed record DeliveryAttempt(DateTimeOffset At, double DurationSeconds, int? HttpStatus, string? Error, TimeSpan? RetryAfter = null)
{
    [JsonIgnore]
    public bool IsSuccess => HttpStatus is >= 200 and < 300;

    /// <summary>The receiver asks for no more messages.</summary>
    [JsonIgnore]
    public bool IsGone => HttpStatus is StatusCodes.Status410Gone;
}
