using Microsoft.AspNetCore.Http.HttpResults;
using NewarBots.Contract;
using NewarBots.Manager.Api;

namespace NewarBots.Manager.Bots;

/// <summary>The errors that calls on bots answer with, as RFC 9457 problem details.</summary>
internal static class BotProblems
{
    public static ProblemHttpResult NotFound() => ApiProblems.Problem(
        ProblemTypes.BotNotFound, "Check the id; GET /bots lists yours.");

    public static ProblemHttpResult MeetingTaken(SessionId holder) => ApiProblems.Problem(
        ProblemTypes.MeetingTaken,
        $"Bot {holder} is active there. Follow it, or stop it first.", new() { ["botId"] = holder });

    public static ProblemHttpResult OverQuota(UserId user, int? quota) => ApiProblems.Problem(
        ProblemTypes.UserOverQuota,
        $"User {user} may have {quota} at once. Wait for one to end, or stop one.", new() { ["limit"] = quota });

    public static ProblemHttpResult TooManyScheduled(UserId user, int limit) => ApiProblems.Problem(
        ProblemTypes.TooManyScheduled,
        $"User {user} may have {limit} scheduled. Wait for one to start, or stop one.", new() { ["limit"] = limit });

    public static ProblemHttpResult StartsTooLate() => ApiProblems.InvalidRequest(
        "startAt", "must not lie so far back that the bot would have had to leave by now (leave.maxDuration)");

    public static ProblemHttpResult NotScheduled(Bot bot) => ApiProblems.Problem(
        ProblemTypes.BotNotScheduled,
        $"It is {WireWord.Of(bot.Status)}; only a bot that has not started yet can be changed.", new() { ["botStatus"] = bot.Status });

    public static ProblemHttpResult QueueFull(int limit) => ApiProblems.Problem(
        ProblemTypes.QueueFull,
        $"At most {limit} bots wait for a place. Try again later: Retry-After says when.", new() { ["limit"] = limit });

    public static ProblemHttpResult KeyReused() => ApiProblems.Problem(
        ProblemTypes.IdempotencyKeyReused,
        "Send the same body as before, or take a new key.");

    public static ProblemHttpResult AlreadyEnded(Bot bot) => ApiProblems.Problem(
        ProblemTypes.BotEnded,
        $"It is {WireWord.Of(bot.Status)}; there is nothing left to stop.", new() { ["botStatus"] = bot.Status });

    public static ProblemHttpResult StillActive(Bot bot) => ApiProblems.Problem(
        ProblemTypes.BotActive,
        $"It is {WireWord.Of(bot.Status)}. Stop it and wait for its end first.", new() { ["botStatus"] = bot.Status });

    public static ProblemHttpResult RecordingNotReady(Bot bot) => ApiProblems.Problem(
        ProblemTypes.RecordingNotReady,
        $"The bot is {WireWord.Of(bot.Status)}; ask again once it is completed.", new() { ["botStatus"] = bot.Status });

    public static ProblemHttpResult NoRecording(Bot bot) => ApiProblems.Problem(
        ProblemTypes.NoRecording,
        bot.Reason is { } reason ? $"It ended with the reason {WireWord.Of(reason)}." : "Its file is gone from the storage.",
        ReasonOf(bot));

    /// <param name="tracks">Those that there are.</param>
    public static ProblemHttpResult NoTrack(IEnumerable<int> tracks)
    {
        int[] known = [.. tracks];
        return ApiProblems.Problem(
            ProblemTypes.NoTrack,
            known.Length == 0 ? "None was kept alone; the setting Recording:TrackFiles asks for it." : $"There are {string.Join(", ", known)}.",
            new() { ["tracks"] = known });
    }

    public static ProblemHttpResult BeingConverted(string format) => ApiProblems.Problem(
        ProblemTypes.RecordingBeingConverted,
        $"Its {format} is not done yet and goes on being made. Ask again: Retry-After says when.");

    public static ProblemHttpResult NotConverted(string format, string why) => ApiProblems.Problem(
        ProblemTypes.RecordingNotConverted,
        $"There is no {format} of it, because: {why} The recording itself can be had without a format.");

    public static ProblemHttpResult NotMadeSoFar(string why) => ApiProblems.Problem(
        ProblemTypes.RecordingNotConverted,
        $"What there is so far cannot be put together, because: {why} It goes on being recorded.");

    public static ProblemHttpResult EvidenceNotReady(Bot bot) => ApiProblems.Problem(
        ProblemTypes.EvidenceNotReady,
        $"It is {WireWord.Of(bot.Status)}; ask again once it has ended. Its log can be read meanwhile.", new() { ["botStatus"] = bot.Status });

    public static ProblemHttpResult NoEvidence(Bot bot) => ApiProblems.Problem(
        ProblemTypes.NoEvidence,
        $"The bot ended with the reason {(bot.Reason is { } reason ? WireWord.Of(reason) : "none")}. Its log is at /bots/{bot.Id}/logs.",
        ReasonOf(bot));

    private static Dictionary<string, object?>? ReasonOf(Bot bot) => bot.Reason is { } reason ? new() { ["reason"] = reason } : null;
}
