namespace NewarBots.ServiceDefaults;

/// <summary>The one vocabulary of telemetry: sources and meters are named after their project.</summary>
public static class TelemetryNames
{
    public const string Manager = "NewarBots.Manager";

    public const string Recorder = "NewarBots.Recorder";

    /// <summary>Matches every source and meter of the product.</summary>
    public const string All = "NewarBots.*";
}
