namespace NewarBots.Manager.Bots.Transcripts;

/// <summary>
/// How a transcript changes: pure functions from a bot's record to the next one. Nothing here touches the bot's status or its recording. A result of
/// an attempt counts only if no later attempt has begun.
/// </summary>
internal static class TranscriptLifecycle
{
    /// <summary>Attempts in succession without progress, after which the transcript fails: about 85 minutes.</summary>
    public const int MaxFailedAttempts = 10;

    private static readonly TimeSpan ShortestWait = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LongestWait = TimeSpan.FromHours(1);

    /// <summary>A transcript is wanted, for the first time or again. Unchanged while one is being made, and without a recording.</summary>
    public static Bot Requested(Bot bot, string? language, DateTimeOffset now) => bot.Recording is null || bot.Transcript?.IsUnderWay is true
        ? bot
        : bot with
        {
            Transcript = new(TranscriptStatus.Pending)
            {
                Language = language ?? bot.TranscriptWish?.Language,
                DueAt = now,
                Attempt = bot.Transcript?.Attempt ?? 0,
                HasEarlierText = bot.Transcript?.HasText is true,
            },
        };

    /// <summary>A manager begins an attempt, for the first time or after another manager did not finish.</summary>
    public static Bot Begun(Bot bot, string model) => bot.Transcript is { IsUnderWay: true } transcript
        ? bot with { Transcript = transcript with { Status = TranscriptStatus.Processing, Model = model, Attempt = transcript.Attempt + 1 } }
        : bot;

    public static Bot Progressed(Bot bot, int attempt, double progress) =>
        In(bot, attempt, transcript => transcript with { Progress = Math.Round(progress, 2), Error = null });

    /// <summary>The attempt failed, and a later one may succeed.</summary>
    /// <param name="bot">The bot.</param>
    /// <param name="attempt">The attempt.</param>
    /// <param name="error">One line for a person.</param>
    /// <param name="hasProgressed">Something was transcribed, so the failures before do not count any more.</param>
    /// <param name="retryAfter">The server's wish.</param>
    /// <param name="now">The current time.</param>
    public static Bot Postponed(Bot bot, int attempt, string error, bool hasProgressed, TimeSpan? retryAfter, DateTimeOffset now)
    {
        return In(bot, attempt, transcript =>
        {
            var failed = hasProgressed ? 1 : transcript.FailedAttempts + 1;
            return failed >= MaxFailedAttempts
                ? Failed(transcript, $"{error} Gave up after {failed} attempts.")
                : transcript with { Status = TranscriptStatus.Pending, Error = error, FailedAttempts = failed, DueAt = now + WaitAfter(failed, retryAfter) };
        });
    }

    /// <summary>The manager stops. Another one continues at once.</summary>
    public static Bot Interrupted(Bot bot, int attempt) =>
        In(bot, attempt, transcript => transcript with { Status = TranscriptStatus.Pending });

    /// <summary>The attempt failed, and so would a later one.</summary>
    public static Bot Failed(Bot bot, int attempt, string error) => In(bot, attempt, transcript => Failed(transcript, error));

    public static Bot Completed(Bot bot, int attempt, string? language) => In(bot, attempt, transcript => transcript with
    {
        Status = TranscriptStatus.Completed,
        Language = language,
        Error = null,
        DueAt = null,
        Progress = null,
        HasEarlierText = false,
    });

    /// <summary>If this attempt fails, too, the transcript fails.</summary>
    public static bool IsLast(BotTranscript transcript) => transcript.FailedAttempts + 1 >= MaxFailedAttempts;

    /// <returns>The time until the next attempt.</returns>
    public static TimeSpan WaitAfter(int failedAttempts, TimeSpan? retryAfter)
    {
        var backoff = ShortestWait * Math.Pow(2, Math.Clamp(failedAttempts, 1, 20) - 1);
        var wait = retryAfter > backoff ? retryAfter.Value : backoff;
        return wait < LongestWait ? wait : LongestWait;
    }

    private static BotTranscript Failed(BotTranscript transcript, string error) =>
        transcript with { Status = TranscriptStatus.Failed, Error = error, DueAt = null, Progress = null };

    private static Bot In(Bot bot, int attempt, Func<BotTranscript, BotTranscript> change) =>
        bot.Transcript is { Status: TranscriptStatus.Processing } transcript && transcript.Attempt == attempt ? bot with { Transcript = change(transcript) } : bot;
}
