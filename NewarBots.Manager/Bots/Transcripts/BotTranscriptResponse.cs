namespace NewarBots.Manager.Bots.Transcripts;

/// <summary>The transcript of a bot's recording.</summary>
/// <param name="Status">`GET /bots/{id}/transcript` returns the text once it is completed.</param>
/// <param name="Url">Path of the text, relative to the manager; present once it is completed. While it is made again, and if that fails, the earlier text.</param>
/// <param name="Progress">The transcribed part of the speech, from 0 to 1.</param>
/// <param name="Language">As requested; once completed, as the speech server reported it.</param>
/// <param name="Model">The model of the speech server.</param>
/// <param name="Error">Why it failed, or why the next attempt waits.</param>
internal sealed record BotTranscriptResponse(TranscriptStatus Status, string? Url, double? Progress, string? Language, string? Model, string? Error)
{
    public static BotTranscriptResponse? Of(Bot bot) => bot.Transcript is { } transcript
        ? new(
            transcript.Status, transcript.HasText ? $"/bots/{bot.Id}/transcript" : null, transcript.Progress,
            transcript.Language, transcript.Model, transcript.Error)
        : null;
}
