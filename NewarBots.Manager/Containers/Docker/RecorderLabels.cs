namespace NewarBots.Manager.Containers.Docker;

/// <summary>How a recorder's container says whose it is.</summary>
internal static class RecorderLabels
{
    public const string Session = "newarbots.session";

    public const string User = "newarbots.user";

    /// <summary>The caller's metadata as a JSON object of strings.</summary>
    public const string Metadata = "newarbots.metadata";

    public const string Stack = "newarbots.stack";
}
