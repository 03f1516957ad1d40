using NewarBots.Contract;

namespace NewarBots.Manager.Bots.Storage;

/// <param name="Caller">The id of the caller's API key; callers with different ones may use the same <paramref name="Key"/>.</param>
/// <param name="Key">As the caller sent it.</param>
/// <param name="BodyHash">SHA-256 of the request's body, hexadecimal.</param>
internal sealed record IdempotencyKey(string Caller, string Key, string BodyHash);

internal abstract record CreateResult
{
    public sealed record Created(Bot Bot) : CreateResult;

    /// <summary>The same request was accepted before; this is its bot.</summary>
    public sealed record Repeated(Bot Bot) : CreateResult;

    /// <summary>The idempotency key belongs to another request.</summary>
    public sealed record KeyReused : CreateResult;

    /// <summary>The user has reached the quota of active bots.</summary>
    public sealed record OverQuota : CreateResult;

    /// <summary>Every place is taken, and the queue is full too.</summary>
    public sealed record QueueFull : CreateResult;

    /// <summary>The user has reached the quota of scheduled bots.</summary>
    public sealed record TooManyScheduled : CreateResult;

    /// <summary>The user has reached the quota of bots on record, including those that have ended.</summary>
    public sealed record TooManyOnRecord : CreateResult;

    /// <summary>The start time is so long ago that the bot would have left by now.</summary>
    public sealed record TooLate : CreateResult;

    /// <summary>Another bot of the same user is in that meeting or will join it.</summary>
    public sealed record MeetingTaken(SessionId Holder) : CreateResult;
}

internal abstract record StartResult
{
    /// <summary>The bot is queued for launch.</summary>
    public sealed record Started : StartResult;

    /// <summary>The bot is no longer scheduled, or was rescheduled to a later time.</summary>
    public sealed record NotDue : StartResult;

    /// <inheritdoc cref="CreateResult.MeetingTaken"/>
    public sealed record MeetingTaken(SessionId Holder) : StartResult;

    /// <inheritdoc cref="CreateResult.OverQuota"/>
    public sealed record OverQuota : StartResult;
}

/// <summary>A change of a record.</summary>
/// <param name="Next">The changed record; equal to the previous one if nothing changes.</param>
/// <param name="Messages">
/// Messages of the bot's recorder, each as one line of JSON, that are appended to its stream in the same step. Their sequence numbers are above the
/// previous record's <see cref="Bot.LastSequence"/>.
/// </param>
internal readonly record struct BotChange(Bot Next, IReadOnlyList<string>? Messages = null);
