namespace NewarBots.Manager.Launching.Engine;

/// <summary>How a recorder's container says whose it is.</summary>
internal static class RecorderLabels
{
    public const string Session = "newarbots.session";

    public const string User = "newarbots.user";

    public const string Stack = "newarbots.stack";
}
