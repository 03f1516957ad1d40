namespace NewarBots.ServiceDefaults;

/// <summary>Names of activity sources and meters: each is named after its project.</summary>
public static class TelemetryNames
{
    public const string Manager = "NewarBots.Manager";

    public const string Recorder = "NewarBots.Recorder";

    /// <summary>Matches every source and meter of the product.</summary>
    public const string All = "NewarBots.*";
}
