using Microsoft.AspNetCore.Http.HttpResults;
using NewarBots.Contract;

namespace NewarBots.Manager.Bots;

/// <summary>Every error the API answers with, as RFC 9457 problem details with a type that stays.</summary>
internal static class BotProblems
{
    private const string TypePrefix = "urn:newarbots:problem:";

    public static ProblemHttpResult InvalidRequest(IReadOnlyDictionary<string, string[]> faults) => Problem(
        StatusCodes.Status400BadRequest, "invalid-request", "The request is not valid.",
        string.Join("; ", faults.SelectMany(field => field.Value.Select(fault => $"{field.Key} {fault}"))),
        new() { ["errors"] = faults });

    public static ProblemHttpResult InvalidRequest(string field, string fault) =>
        InvalidRequest(new Dictionary<string, string[]> { [field] = [fault] });

    public static readonly string UserIdFault = $"must be 1 to {UserId.MaxLength} of the characters a-z 0-9 - _";

    public static ProblemHttpResult InvalidUserId() => InvalidRequest("userId", UserIdFault);

    public static ProblemHttpResult NotFound() => Problem(
        StatusCodes.Status404NotFound, "bot-not-found", "There is no such bot.", "Check the id; GET /bots lists yours.");

    public static ProblemHttpResult MeetingTaken(SessionId holder) => Problem(
        StatusCodes.Status409Conflict, "meeting-taken", "A bot of this user is in this meeting already.",
        $"Bot {holder} is active there. Follow it, or stop it first.", new() { ["botId"] = holder });

    public static ProblemHttpResult OverQuota(UserId user, int? quota) => Problem(
        StatusCodes.Status429TooManyRequests, "user-over-quota", "The user has as many active bots as one may have.",
        $"User {user} may have {quota} at once. Wait for one to end, or stop one.", new() { ["limit"] = quota });

    public static ProblemHttpResult QueueFull(int limit) => Problem(
        StatusCodes.Status503ServiceUnavailable, "queue-full", "Every place is taken, and the queue is full.",
        $"At most {limit} bots wait for a place. Try again later: Retry-After says when.", new() { ["limit"] = limit });

    public static ProblemHttpResult KeyReused() => Problem(
        StatusCodes.Status422UnprocessableEntity, "idempotency-key-reused", "The Idempotency-Key was used for another request.",
        "Send the same body as before, or take a new key.");

    public static ProblemHttpResult AlreadyEnded(Bot bot) => Problem(
        StatusCodes.Status409Conflict, "bot-ended", "The bot has ended.",
        $"It is {WireWord.Of(bot.Status)}; there is nothing left to stop.", new() { ["status"] = bot.Status });

    public static ProblemHttpResult StillActive(Bot bot) => Problem(
        StatusCodes.Status409Conflict, "bot-active", "The bot is still active.",
        $"It is {WireWord.Of(bot.Status)}. Stop it and wait for its end first.", new() { ["status"] = bot.Status });

    public static ProblemHttpResult RecordingNotReady(Bot bot) => Problem(
        StatusCodes.Status409Conflict, "recording-not-ready", "The recording is not ready.",
        $"The bot is {WireWord.Of(bot.Status)}; ask again once it is completed.", new() { ["status"] = bot.Status });

    public static ProblemHttpResult NoRecording(Bot bot) => Problem(
        StatusCodes.Status404NotFound, "no-recording", "This bot has no recording.",
        bot.Reason is { } reason ? $"It ended with the reason {WireWord.Of(reason)}." : "Its file is gone from the storage.",
        new() { ["reason"] = bot.Reason });

    /// <param name="tracks">Those that there are.</param>
    public static ProblemHttpResult NoTrack(IEnumerable<int> tracks)
    {
        int[] known = [.. tracks];
        return Problem(
            StatusCodes.Status404NotFound, "no-track", "This recording has no such track.",
            known.Length == 0 ? "None was kept alone; the setting Recording:TrackFiles asks for it." : $"There are {string.Join(", ", known)}.",
            new() { ["tracks"] = known });
    }

    public static ProblemHttpResult BeingConverted(string format) => Problem(
        StatusCodes.Status503ServiceUnavailable, "recording-being-converted", "The recording is being converted.",
        $"Its {format} is not done yet and goes on being made. Ask again: Retry-After says when.");

    public static ProblemHttpResult NotConverted(string format, string why) => Problem(
        StatusCodes.Status500InternalServerError, "recording-not-converted", "The recording cannot be converted.",
        $"There is no {format} of it, because: {why} The recording itself can be had without a format.");

    public static ProblemHttpResult EvidenceNotReady(Bot bot) => Problem(
        StatusCodes.Status409Conflict, "evidence-not-ready", "The bot is still active.",
        $"It is {WireWord.Of(bot.Status)}; ask again once it has ended. Its log can be read meanwhile.", new() { ["status"] = bot.Status });

    public static ProblemHttpResult NoEvidence(Bot bot) => Problem(
        StatusCodes.Status404NotFound, "no-evidence", "There is no evidence, because nothing went wrong.",
        $"The bot ended with the reason {(bot.Reason is { } reason ? WireWord.Of(reason) : "none")}. Its log is at /bots/{bot.Id}/logs.",
        new() { ["reason"] = bot.Reason });

    public static ProblemHttpResult StoreUnavailable() => Problem(
        StatusCodes.Status503ServiceUnavailable, "store-unavailable", "Redis cannot be reached at the moment.",
        "Bots that run go on recording. Try again in a few seconds; GET /health tells when it is back.");

    public static ProblemHttpResult EngineUnavailable(string why) => Problem(
        StatusCodes.Status503ServiceUnavailable, "engine-unavailable", "The container engine did not do what this needs.", why);

    private static ProblemHttpResult Problem(
        int status, string type, string title, string detail, Dictionary<string, object?>? extensions = null) =>
        TypedResults.Problem(detail, instance: null, status, title, TypePrefix + type, extensions);
}
