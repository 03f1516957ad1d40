namespace NewarBots.Manager.Bots.Transcripts;

/// <summary>The types of events about transcripts, in webhook messages and in the event stream of all bots.</summary>
internal static class TranscriptEvents
{
    public const string Completed = "transcript.completed";

    public const string Failed = "transcript.failed";

    /// <returns><see langword="null"/> if the transcript has not ended.</returns>
    public static string? TypeOf(BotTranscript? transcript) => transcript?.Status switch
    {
        TranscriptStatus.Completed => Completed,
        TranscriptStatus.Failed => Failed,
        _ => null,
    };
}
