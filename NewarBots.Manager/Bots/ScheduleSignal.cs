using NewarBots.Manager.Hosting;

namespace NewarBots.Manager.Bots;

/// <summary>Wakes the scheduler: a bot was scheduled, or for another time than before.</summary>
internal sealed class ScheduleSignal : AsyncAutoResetEvent;
