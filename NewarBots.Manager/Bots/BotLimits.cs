using Microsoft.Extensions.Options;

namespace NewarBots.Manager.Bots;

/// <summary>The limits for accepting bots.</summary>
/// <param name="Places">Bots that may have a container at once.</param>
/// <param name="Waiting">Bots that may wait for a container.</param>
/// <param name="OfOneUser">Active bots of one user; <see langword="null"/>: no limit.</param>
/// <param name="ScheduledOfOneUser">Scheduled bots of one user; <see langword="null"/>: no limit.</param>
/// <param name="OnRecordOfOneUser">All bots of one user, including those that have ended; <see langword="null"/>: no limit.</param>
internal sealed record BotLimits(int Places, int Waiting, int? OfOneUser, int? ScheduledOfOneUser = null, int? OnRecordOfOneUser = null)
{
    public static BotLimits Of(BotCapacityOptions options) =>
        new(options.MaxConcurrentBots, options.MaxQueuedBots, options.MaxConcurrentBotsPerUser, options.MaxScheduledBotsPerUser, options.MaxBotsPerUser);
}

/// <summary>Section <c>Launching</c>: how many bots there may be.</summary>
internal sealed class BotCapacityOptions
{
    public const string Section = "Launching";

    /// <summary>How many bots may have a container at once on this host; others wait in <c>queued</c>.</summary>
    public int MaxConcurrentBots { get; set; } = 50;

    /// <summary>How many bots may wait for a container; further requests are rejected (503) until the queue has room.</summary>
    public int MaxQueuedBots { get; set; } = 1000;

    /// <summary>
    /// How many bots of one user may be active at once, including waiting ones; further requests are rejected (429). No limit by
    /// default.
    /// </summary>
    public int? MaxConcurrentBotsPerUser { get; set; }

    /// <summary>How many bots of one user may be scheduled; further requests are rejected (429).</summary>
    public int MaxScheduledBotsPerUser { get; set; } = 1000;

    /// <summary>
    /// How many bots of one user may be on record, including those that have ended; further requests are rejected (429). A record takes up to 64 KB of Redis.
    /// </summary>
    public int MaxBotsPerUser { get; set; } = 10_000;
}

/// <summary>Reports every mistake at once, each by the key to change.</summary>
internal sealed class BotCapacityOptionsValidator : IValidateOptions<BotCapacityOptions>
{
    public ValidateOptionsResult Validate(string? name, BotCapacityOptions options)
    {
        var faults = Faults(options).ToList();
        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    private static IEnumerable<string> Faults(BotCapacityOptions options)
    {
        if (options.MaxConcurrentBots < 1)
            yield return $"Launching:MaxConcurrentBots must be 1 or more (it is {options.MaxConcurrentBots}).";
        if (options.MaxQueuedBots < 1)
            yield return $"Launching:MaxQueuedBots must be 1 or more (it is {options.MaxQueuedBots}).";
        if (options.MaxConcurrentBotsPerUser < 1)
            yield return $"Launching:MaxConcurrentBotsPerUser must be 1 or more (it is {options.MaxConcurrentBotsPerUser}).";
        if (options.MaxScheduledBotsPerUser < 1)
            yield return $"Launching:MaxScheduledBotsPerUser must be 1 or more (it is {options.MaxScheduledBotsPerUser}).";
        if (options.MaxBotsPerUser < 1)
            yield return $"Launching:MaxBotsPerUser must be 1 or more (it is {options.MaxBotsPerUser}).";
    }
}
