using NewarBots.Manager.Bots;

namespace NewarBots.Manager.Scheduling;

/// <summary>Wakes the scheduler: a bot was scheduled, or for another time than before.</summary>
internal sealed class ScheduleSignal : Signal;
