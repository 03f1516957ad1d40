using NewarBots.Manager.Hosting;

namespace NewarBots.Manager.Bots;

/// <summary>Wakes the launcher: a bot was queued, or a place became free.</summary>
internal sealed class LaunchSignal : AsyncAutoResetEvent;
