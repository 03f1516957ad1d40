using NewarBots.Manager.Hosting;

namespace NewarBots.Manager.Bots;

/// <summary>Wakes the launcher: a bot was queued, or a place became free.</summary>
internal sealed class LaunchSignal : AsyncAutoResetEvent;

/// <summary>Wakes the scheduler: a bot was scheduled or rescheduled.</summary>
internal sealed class ScheduleSignal : AsyncAutoResetEvent;
