using NewarBots.Manager.Bots;

namespace NewarBots.Manager.Launching;

/// <summary>Wakes the launcher: a bot was queued, or a place became free.</summary>
internal sealed class LaunchSignal : Signal;
