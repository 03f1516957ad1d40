namespace NewarBots.Manager.Containers;

/// <summary>Labels of a recorder's container. On Kubernetes the user is an annotation: a user id may be longer than a label, or start with '-'.</summary>
internal static class RecorderLabels
{
    public const string Session = "newarbots.session";

    public const string User = "newarbots.user";

    /// <summary>The installation that the recorder belongs to.</summary>
    public const string Stack = "newarbots.stack";
}
