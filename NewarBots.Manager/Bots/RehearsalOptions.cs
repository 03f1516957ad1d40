namespace NewarBots.Manager.Bots;

/// <summary>Section <c>Rehearsal</c>: the stand-in meeting.</summary>
internal sealed class RehearsalOptions
{
    public const string Section = "Rehearsal";

    /// <summary>Where the rehearsal lies: the index here, a meeting at <c>/rehearsal/{code}</c>.</summary>
    public const string Path = "/rehearsal";

    /// <summary>Whether it is served; in Development it is, unless this is set.</summary>
    public bool Enabled { get; set; }
}
