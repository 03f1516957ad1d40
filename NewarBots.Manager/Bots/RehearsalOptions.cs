namespace NewarBots.Manager.Bots;

/// <summary>Section <c>Rehearsal</c>: the simulated meetings.</summary>
internal sealed class RehearsalOptions
{
    public const string Section = "Rehearsal";

    /// <summary>The path of the index; a meeting is at <c>/rehearsal/{code}</c>.</summary>
    public const string Path = "/rehearsal";

    /// <summary>Whether the manager serves rehearsals; by default in Development only.</summary>
    public bool Enabled { get; set; }
}
