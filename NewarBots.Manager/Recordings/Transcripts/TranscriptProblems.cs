using Microsoft.AspNetCore.Http.HttpResults;
using NewarBots.Contract;
using NewarBots.Manager.Api;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Transcripts;

namespace NewarBots.Manager.Recordings.Transcripts;

internal static class TranscriptProblems
{
    public static ProblemHttpResult NotReady(BotTranscript transcript) => ApiProblems.Problem(
        ProblemTypes.TranscriptNotReady,
        $"The transcript is {WireWord.Of(transcript.Status)}. {transcript.Error ?? "Try again when it has completed."}");

    public static ProblemHttpResult None(Bot bot) => ApiProblems.Problem(
        ProblemTypes.NoTranscript,
        bot.Transcript switch
        {
            { Status: TranscriptStatus.Failed, Error: { } error } => $"It failed: {error} POST /bots/{bot.Id}/transcript tries again.",
            { Status: TranscriptStatus.Completed } => $"The file is missing from the storage folder. POST /bots/{bot.Id}/transcript makes it again.",
            _ => $"None was requested. POST /bots/{bot.Id}/transcript makes one.",
        });

    public static ProblemHttpResult Off() => ApiProblems.Problem(ProblemTypes.TranscriptionOff, ProblemTypes.TranscriptionOff.Advice);
}
