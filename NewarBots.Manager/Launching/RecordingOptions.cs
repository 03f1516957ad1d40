namespace NewarBots.Manager.Launching;

/// <summary>Section <c>Recording</c>: what bots keep of what they hear.</summary>
internal sealed class RecordingOptions
{
    public const string Section = "Recording";

    /// <summary>Beside the mix, one file for each audio track of the meeting.</summary>
    public bool TrackFiles { get; set; }
}
