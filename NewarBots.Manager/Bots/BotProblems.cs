using Microsoft.AspNetCore.Http.HttpResults;
using NewarBots.Contract;
using NewarBots.Manager.Api;

namespace NewarBots.Manager.Bots;

/// <summary>The problem details of endpoints about bots.</summary>
internal static class BotProblems
{
    public static ProblemHttpResult NotFound() => ApiProblems.Problem(
        ProblemTypes.BotNotFound, ProblemTypes.BotNotFound.Advice);

    public static ProblemHttpResult MeetingTaken(SessionId holder) => ApiProblems.Problem(
        ProblemTypes.MeetingTaken,
        $"Bot {holder} is in the meeting or about to join. Follow it, or stop it first.", new() { ["botId"] = holder });

    public static ProblemHttpResult OverQuota(UserId user, int? quota) => ApiProblems.Problem(
        ProblemTypes.UserOverQuota,
        $"User {user} may have {quota} active bots. Wait until one ends, or stop one.", new() { ["limit"] = quota });

    public static ProblemHttpResult TooManyScheduled(UserId user, int limit) => ApiProblems.Problem(
        ProblemTypes.TooManyScheduled,
        $"User {user} may have {limit} scheduled bots. Wait until one starts, or stop one.", new() { ["limit"] = limit });

    public static ProblemHttpResult TooManyOnRecord(UserId user, int limit) => ApiProblems.Problem(
        ProblemTypes.TooManyBots,
        $"User {user} may have {limit} bots on record. Delete some that have ended (DELETE /bots/{{id}}); an operator can set Removing:KeepFor or raise Launching:MaxBotsPerUser.",
        new() { ["limit"] = limit });

    public static ProblemHttpResult StartsTooLate() => ApiProblems.InvalidRequest(
        "startAt", "must not be further in the past than leave.maxDuration");

    public static ProblemHttpResult NotScheduled(Bot bot) => ApiProblems.Problem(
        ProblemTypes.BotNotScheduled,
        $"The bot is {WireWord.Of(bot.Status)}. Only botName and metadata can be changed now.", new() { ["botStatus"] = bot.Status });

    public static ProblemHttpResult QueueFull(int limit) => ApiProblems.Problem(
        ProblemTypes.QueueFull,
        $"The queue holds at most {limit} bots. Try again after the seconds in Retry-After.", new() { ["limit"] = limit });

    public static ProblemHttpResult IdempotencyKeyReused() => ApiProblems.Problem(
        ProblemTypes.IdempotencyKeyReused,
        ProblemTypes.IdempotencyKeyReused.Advice);

    public static ProblemHttpResult AlreadyEnded(Bot bot) => ApiProblems.Problem(
        ProblemTypes.BotEnded,
        $"The bot is {WireWord.Of(bot.Status)}. There is nothing to stop.", new() { ["botStatus"] = bot.Status });

    public static ProblemHttpResult StillActive(Bot bot) => ApiProblems.Problem(
        ProblemTypes.BotActive,
        $"The bot is {WireWord.Of(bot.Status)}. Stop it and wait until it has ended.", new() { ["botStatus"] = bot.Status });

    public static ProblemHttpResult BeingEnded(Bot bot) => ApiProblems.Problem(
        ProblemTypes.BotActive,
        $"The bot is {WireWord.Of(bot.Status)}, and a manager is working on it. Try again in a few seconds.", new() { ["botStatus"] = bot.Status });

    public static ProblemHttpResult NothingToFinalize(Bot bot, string why) => ApiProblems.Problem(
        ProblemTypes.NothingToFinalize,
        $"The bot is {WireWord.Of(bot.Status)}. {why}", new() { ["botStatus"] = bot.Status });

    public static ProblemHttpResult StorageUnavailable(string why) => ApiProblems.Problem(ProblemTypes.StorageUnavailable, why);

    public static ProblemHttpResult RecordingNotReady(Bot bot) => ApiProblems.Problem(
        ProblemTypes.RecordingNotReady,
        $"The bot is {WireWord.Of(bot.Status)}. Try again when it has completed.", new() { ["botStatus"] = bot.Status });

    public static ProblemHttpResult NoRecording(Bot bot) => ApiProblems.Problem(
        ProblemTypes.NoRecording,
        bot.Reason is { } reason ? $"The bot ended with the reason {WireWord.Of(reason)}." : "The file is missing from the storage folder.",
        ReasonOf(bot));

    /// <param name="tracks">The existing tracks.</param>
    public static ProblemHttpResult NoTrack(IEnumerable<int> tracks)
    {
        int[] known = [.. tracks];
        return ApiProblems.Problem(
            ProblemTypes.NoTrack,
            known.Length == 0 ? "No separate tracks were kept. Enable Recording:TrackFiles for future bots." : $"Existing tracks: {string.Join(", ", known)}.",
            new() { ["tracks"] = known });
    }

    public static ProblemHttpResult BeingConverted(string format) => ApiProblems.Problem(
        ProblemTypes.RecordingBeingConverted,
        $"The conversion to {format} continues. Try again after the seconds in Retry-After.");

    public static ProblemHttpResult ConversionQueueFull(int limit) => ApiProblems.Problem(
        ProblemTypes.QueueFull,
        $"At most {limit} recordings may wait to be converted. Try again after the seconds in Retry-After.", new() { ["limit"] = limit });

    public static ProblemHttpResult PartialQueueFull(int limit) => ApiProblems.Problem(
        ProblemTypes.QueueFull,
        $"At most {limit} requests for recordings so far may wait for one user. Try again after the seconds in Retry-After.", new() { ["limit"] = limit });

    public static ProblemHttpResult NotConverted(string format, string cause) => ApiProblems.Problem(
        ProblemTypes.RecordingNotConverted,
        $"The conversion to {format} failed: {cause} Download the recording without `format`.");

    /// <param name="format">The wanted format.</param>
    /// <param name="cause">Why the latest attempt failed.</param>
    /// <param name="wait">Requests before the end of this time do not start another attempt.</param>
    public static ProblemHttpResult NotConvertedAgain(string format, string cause, TimeSpan wait) => ApiProblems.Problem(
        ProblemTypes.RecordingNotConverted,
        $"The conversion to {format} failed: {cause} It is not tried again before {Math.Ceiling(wait.TotalSeconds):0} s have passed. Download the recording without `format`.");

    public static ProblemHttpResult PartialNotAssembled(string cause) => ApiProblems.Problem(
        ProblemTypes.RecordingNotConverted,
        $"The recording so far cannot be assembled: {cause} The bot keeps recording.");

    public static ProblemHttpResult EvidenceNotReady(Bot bot) => ApiProblems.Problem(
        ProblemTypes.EvidenceNotReady,
        $"The bot is {WireWord.Of(bot.Status)}. Try again when it has ended. Its log is already available.", new() { ["botStatus"] = bot.Status });

    public static ProblemHttpResult NoPage(Bot bot) => ApiProblems.Problem(
        ProblemTypes.NoPage,
        $"The bot is {WireWord.Of(bot.Status)}. {ProblemTypes.NoPage.Advice}", new() { ["botStatus"] = bot.Status });

    public static ProblemHttpResult ScreenshotUnavailable() => ApiProblems.Problem(
        ProblemTypes.ScreenshotUnavailable, ProblemTypes.ScreenshotUnavailable.Advice);

    public static ProblemHttpResult NoEvidence(Bot bot) => ApiProblems.Problem(
        ProblemTypes.NoEvidence,
        $"The bot ended with the reason {(bot.Reason is { } reason ? WireWord.Of(reason) : "none")}. Its log is at /bots/{bot.Id}/logs.",
        ReasonOf(bot));

    private static Dictionary<string, object?>? ReasonOf(Bot bot) => bot.Reason is { } reason ? new() { ["reason"] = reason } : null;
}
