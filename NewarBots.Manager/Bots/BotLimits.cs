using NewarBots.Manager.Launching;

namespace NewarBots.Manager.Bots;

/// <summary>How many bots are accepted.</summary>
/// <param name="Places">How many may have a container at once.</param>
/// <param name="Waiting">How many may wait for a place beside them.</param>
/// <param name="OfOneUser">How many of one user may be active; <see langword="null"/>: as many as all.</param>
/// <param name="ScheduledOfOneUser">How many of one user may be scheduled beside them.</param>
internal sealed record BotLimits(int Places, int Waiting, int? OfOneUser, int? ScheduledOfOneUser = null)
{
    public static BotLimits Of(LaunchingOptions options) =>
        new(options.MaxConcurrentBots, options.MaxQueuedBots, options.MaxConcurrentBotsPerUser, options.MaxScheduledBotsPerUser);
}
