namespace NewarBots.Recorder.Hosting;

/// <summary>The names of the other bots that the manager has sent to the same meeting. Thread-safe.</summary>
internal sealed class MeetingCompanions
{
    private IReadOnlyList<string> _names = [];

    /// <summary>One name for each bot. Equal names may occur.</summary>
    public IReadOnlyList<string> Names
    {
        get => Volatile.Read(ref _names);
        set => Volatile.Write(ref _names, value);
    }
}
