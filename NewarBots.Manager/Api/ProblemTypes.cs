using System.Reflection;

namespace NewarBots.Manager.Api;

/// <summary>A kind of error. Programs distinguish errors by it, so its name and status never change.</summary>
/// <param name="Name">The last part of its URI.</param>
/// <param name="Status">The HTTP status.</param>
/// <param name="Title">Summary of the error, the same for every occurrence.</param>
/// <param name="Advice">Action for the caller to take.</param>
internal sealed record ProblemType(string Name, int Status, string Title, string Advice)
{
    public const string UriPrefix = "urn:newarbots:problem:";

    public string Uri => UriPrefix + Name;

    /// <summary>The additional member of such problems, with an example in JSON.</summary>
    public (string Name, string Example)? Member { get; init; }
}

/// <summary>All problem types of the API. <c>docs/problems.md</c> lists them.</summary>
internal static class ProblemTypes
{
    public static ProblemType InvalidRequest { get; } = new(
        "invalid-request", StatusCodes.Status400BadRequest, "The request is not valid.",
        "Correct the fields listed in `errors`; each says what it must be.")
    {
        Member = ("errors", "{\"leave.maxDuration\": [\"must be a number of seconds from 1 to 86400\"]}"),
    };

    public static ProblemType KeyRequired { get; } = new(
        "key-required", StatusCodes.Status401Unauthorized, "A key is required.",
        "Send a key as X-API-Key or as Authorization: Bearer. An operator creates keys with: ./run keys add NAME.");

    public static ProblemType KeyNotValid { get; } = new(
        "key-not-valid", StatusCodes.Status401Unauthorized, "The key is not valid.",
        "Check that the key is complete and has not been revoked. If a session has expired, sign in again.");

    public static ProblemType NotAllowed { get; } = new(
        "not-allowed", StatusCodes.Status403Forbidden, "The key's role does not allow this.",
        "Use an admin's key.");

    public static ProblemType LocalOnly { get; } = new(
        "local-only", StatusCodes.Status403Forbidden, "Without keys, the manager serves localhost only.",
        "Create a key on that machine with: ./run keys add NAME --role admin. Then send it.");

    public static ProblemType CrossSiteRequest { get; } = new(
        "cross-site-request", StatusCodes.Status403Forbidden, "The request comes from another site's page.",
        "Send it from the manager's own page, or from a program with a key. Other sites can only link to the manager.");

    public static ProblemType BotNotFound { get; } = new(
        "bot-not-found", StatusCodes.Status404NotFound, "The bot does not exist.",
        "Check the id; GET /bots lists your bots.");

    public static ProblemType NoRecording { get; } = new(
        "no-recording", StatusCodes.Status404NotFound, "The bot has no recording.",
        "Nothing was recorded. `reason` says why; GET /bots/{id}/evidence has screenshots.")
    {
        Member = ("reason", "\"denied_by_host\""),
    };

    public static ProblemType NoTrack { get; } = new(
        "no-track", StatusCodes.Status404NotFound, "The recording does not have this track.",
        "Use a track listed in `tracks`. If the list is empty, enable Recording:TrackFiles for future bots.")
    {
        Member = ("tracks", "[1, 2]"),
    };

    public static ProblemType NoTranscript { get; } = new(
        "no-transcript", StatusCodes.Status404NotFound, "The recording has no transcript.",
        "Request one with POST /bots/{id}/transcript; `detail` says why there is none.");

    public static ProblemType NoEvidence { get; } = new(
        "no-evidence", StatusCodes.Status404NotFound, "The bot has no evidence, because it did not fail.",
        "Read the log instead: GET /bots/{id}/logs.")
    {
        Member = ("reason", "\"meeting_ended\""),
    };

    public static ProblemType KeyNotFound { get; } = new(
        "key-not-found", StatusCodes.Status404NotFound, "The key does not exist.",
        "Check the id; GET /keys lists all keys.");

    public static ProblemType WebhookNotFound { get; } = new(
        "webhook-not-found", StatusCodes.Status404NotFound, "The webhook does not exist.",
        "Check the id; GET /webhooks lists your webhooks.");

    public static ProblemType DeliveryNotFound { get; } = new(
        "delivery-not-found", StatusCodes.Status404NotFound, "The webhook does not have this message.",
        "Check the id; GET /webhooks/{id}/deliveries lists the messages of the last 7 days.");

    public static ProblemType NoSuchCall { get; } = new(
        "no-such-call", StatusCodes.Status404NotFound, "No endpoint has this address.",
        "Check the path and the id in it; /openapi/v1.json lists all endpoints.");

    public static ProblemType MethodNotAllowed { get; } = new(
        "method-not-allowed", StatusCodes.Status405MethodNotAllowed, "The endpoint does not support this method.",
        "Use one of the methods in the Allow header.");

    public static ProblemType RequestTimeout { get; } = new(
        "request-timeout", StatusCodes.Status408RequestTimeout, "The request body arrived too slowly.",
        "Send the request again without pauses, at 240 bytes a second or more.");

    public static ProblemType MeetingTaken { get; } = new(
        "meeting-taken", StatusCodes.Status409Conflict, "A bot of this user is already in the meeting.",
        "Follow the bot in `botId`, or stop it first.")
    {
        Member = ("botId", "\"0199aaaabbbbccccddddeeeeffff0001\""),
    };

    public static ProblemType BotEnded { get; } = new(
        "bot-ended", StatusCodes.Status409Conflict, "The bot has ended.",
        "There is nothing to stop; GET /bots/{id} says how the bot ended.")
    {
        Member = ("botStatus", "\"completed\""),
    };

    public static ProblemType BotActive { get; } = new(
        "bot-active", StatusCodes.Status409Conflict, "The bot is still active.",
        "Stop it with POST /bots/{id}/stop and wait until it has ended.")
    {
        Member = ("botStatus", "\"recording\""),
    };

    public static ProblemType NothingToFinalize { get; } = new(
        "nothing-to-finalize", StatusCodes.Status409Conflict, "The bot has nothing to finalize.",
        "Only a bot that failed with finalization_failed, and whose chunks still exist, can be finalized again.")
    {
        Member = ("botStatus", "\"completed\""),
    };

    public static ProblemType BotNotScheduled { get; } = new(
        "bot-not-scheduled", StatusCodes.Status409Conflict, "The bot is no longer scheduled.",
        "It has started or ended; see `botStatus`. Only `botName` and `metadata` can still be changed. Otherwise stop it and send another bot.")
    {
        Member = ("botStatus", "\"recording\""),
    };

    public static ProblemType RecordingNotReady { get; } = new(
        "recording-not-ready", StatusCodes.Status409Conflict, "The recording is not ready.",
        "Try again when the bot has completed; GET /bots/{id}/events reports it. While the bot records, ?partial=true returns the recording so far.")
    {
        Member = ("botStatus", "\"recording\""),
    };

    public static ProblemType TranscriptNotReady { get; } = new(
        "transcript-not-ready", StatusCodes.Status409Conflict, "The transcript is not ready.",
        "Try again when it has completed; GET /bots/{id} shows its progress, and a webhook or GET /bots/events reports its end.");

    public static ProblemType TranscriptionOff { get; } = new(
        "transcription-off", StatusCodes.Status409Conflict, "No speech server is set.",
        "An operator can set one: Transcription:Endpoint.");

    public static ProblemType EvidenceNotReady { get; } = new(
        "evidence-not-ready", StatusCodes.Status409Conflict, "The bot is still active.",
        "Try again when it has ended. Its log is already available.")
    {
        Member = ("botStatus", "\"recording\""),
    };

    public static ProblemType NoPage { get; } = new(
        "no-page", StatusCodes.Status409Conflict, "The bot is not on a page.",
        "Ask while it is joining, waiting or recording. After a failure, GET /bots/{id}/evidence has screenshots.")
    {
        Member = ("botStatus", "\"completed\""),
    };

    public static ProblemType FirstKeyByCommand { get; } = new(
        "first-key-by-command", StatusCodes.Status409Conflict, "The API cannot create the first key.",
        "Create it on the machine with the storage folder: ./run keys add NAME --role admin.");

    public static ProblemType WebhookDisabled { get; } = new(
        "webhook-disabled", StatusCodes.Status409Conflict, "The webhook is disabled.",
        "Its receiver responded with 410 Gone. Delete the webhook and create another one.");

    public static ProblemType PreconditionFailed { get; } = new(
        "precondition-failed", StatusCodes.Status412PreconditionFailed, "A condition of the request is not met.",
        "The file has changed. Send the request without If-Match and If-Unmodified-Since.");

    public static ProblemType UnsupportedMediaType { get; } = new(
        "unsupported-media-type", StatusCodes.Status415UnsupportedMediaType, "The endpoint does not accept this type of body.",
        "Send JSON with Content-Type: application/json.");

    public static ProblemType RangeNotSatisfiable { get; } = new(
        "range-not-satisfiable", StatusCodes.Status416RangeNotSatisfiable, "The requested range is outside the file.",
        "Request a range within the file; Content-Range has its length.");

    public static ProblemType IdempotencyKeyReused { get; } = new(
        "idempotency-key-reused", StatusCodes.Status422UnprocessableEntity, "The Idempotency-Key was already used for another request.",
        "Send the same body as before, or use a new key.");

    public static ProblemType UserOverQuota { get; } = new(
        "user-over-quota", StatusCodes.Status429TooManyRequests, "The user has reached the limit of active bots.",
        "Wait until one ends, or stop one; `limit` is the maximum.")
    {
        Member = ("limit", "10"),
    };

    public static ProblemType TooManyRequests { get; } = new(
        "too-many-requests", StatusCodes.Status429TooManyRequests, "Too many requests.",
        "Try again after the seconds in Retry-After. The Access settings define the limits.");

    public static ProblemType TooManyStreams { get; } = new(
        "too-many-streams", StatusCodes.Status429TooManyRequests, "The caller has too many streams or downloads open.",
        "Close one, or try again after the seconds in Retry-After; `limit` is the maximum.")
    {
        Member = ("limit", "600"),
    };

    public static ProblemType TooManyScheduled { get; } = new(
        "too-many-scheduled", StatusCodes.Status429TooManyRequests, "The user has reached the limit of scheduled bots.",
        "Wait until one starts, or stop one; `limit` is the maximum.")
    {
        Member = ("limit", "1000"),
    };

    public static ProblemType TooManyBots { get; } = new(
        "too-many-bots", StatusCodes.Status429TooManyRequests, "The user has reached the limit of bots on record, including those that have ended.",
        "Delete bots that have ended, or let Removing:KeepFor delete them; `limit` is the maximum.")
    {
        Member = ("limit", "10000"),
    };

    public static ProblemType TooManyWebhooks { get; } = new(
        "too-many-webhooks", StatusCodes.Status429TooManyRequests, "The user has reached the limit of webhooks.",
        "Delete one first; `limit` is the maximum.")
    {
        Member = ("limit", "20"),
    };

    public static ProblemType InternalError { get; } = new(
        "internal-error", StatusCodes.Status500InternalServerError, "An unexpected error occurred.",
        "Try again. If it persists, search the manager's log for the traceId.");

    public static ProblemType RecordingNotConverted { get; } = new(
        "recording-not-converted", StatusCodes.Status500InternalServerError, "The recording cannot be converted.",
        "Download it without `format`; `detail` gives the cause.");

    public static ProblemType QueueFull { get; } = new(
        "queue-full", StatusCodes.Status503ServiceUnavailable, "All slots are in use, and the queue is full.",
        "Try again after the seconds in Retry-After.")
    {
        Member = ("limit", "1000"),
    };

    public static ProblemType StreamsFull { get; } = new(
        "streams-full", StatusCodes.Status503ServiceUnavailable, "The manager has too many streams or downloads open.",
        "Try again after the seconds in Retry-After; `limit` is the maximum.")
    {
        Member = ("limit", "3000"),
    };

    public static ProblemType ScreenshotUnavailable { get; } = new(
        "screenshot-unavailable", StatusCodes.Status503ServiceUnavailable, "The bot did not take a screenshot.",
        "Try again after the seconds in Retry-After. The bot's browser may be starting or busy.");

    public static ProblemType RecordingBeingConverted { get; } = new(
        "recording-being-converted", StatusCodes.Status503ServiceUnavailable, "The recording is being converted.",
        "Try again after the seconds in Retry-After; the conversion continues.");

    public static ProblemType StoreUnavailable { get; } = new(
        "store-unavailable", StatusCodes.Status503ServiceUnavailable, "Redis is unavailable.",
        "Running bots keep recording. Try again after the seconds in Retry-After; GET /health shows when Redis is back.");

    public static ProblemType StorageUnavailable { get; } = new(
        "storage-unavailable", StatusCodes.Status503ServiceUnavailable, "The storage cannot take new recordings.",
        "Free or repair the storage, then try again after the seconds in Retry-After; `detail` gives the cause.");

    public static ProblemType KeysUnreadable { get; } = new(
        "keys-unreadable", StatusCodes.Status503ServiceUnavailable, "The keys cannot be read, so all requests are rejected.",
        "Running bots keep recording. The manager's log has the cause.");

    public static ProblemType ManagerBusy { get; } = new(
        "manager-busy", StatusCodes.Status503ServiceUnavailable, "Too many changes of keys, sessions or webhooks at once.",
        "Nothing was changed. Try again after the seconds in Retry-After.");

    public static ProblemType EngineUnavailable { get; } = new(
        "engine-unavailable", StatusCodes.Status503ServiceUnavailable, "The container engine failed or is unavailable.",
        "Try again after the seconds in Retry-After; `detail` gives the cause.");

    public static IReadOnlyList<ProblemType> All { get; } =
    [
        .. typeof(ProblemTypes).GetProperties(BindingFlags.Public | BindingFlags.Static)
            .Where(property => property.PropertyType == typeof(ProblemType))
            .Select(property => (ProblemType)property.GetValue(obj: null)!),
    ];

    /// <summary>Problems that every endpoint can return.</summary>
    public static IReadOnlyList<ProblemType> Common { get; } =
        [InvalidRequest, KeyRequired, KeyNotValid, LocalOnly, CrossSiteRequest, TooManyRequests, KeysUnreadable, StoreUnavailable, InternalError];

    /// <summary>The problem type for an error that ASP.NET Core itself returns with this status.</summary>
    public static ProblemType? ForStatus(int? status) => status switch
    {
        StatusCodes.Status400BadRequest => InvalidRequest,
        StatusCodes.Status404NotFound => NoSuchCall,
        StatusCodes.Status405MethodNotAllowed => MethodNotAllowed,
        StatusCodes.Status412PreconditionFailed => PreconditionFailed,
        StatusCodes.Status415UnsupportedMediaType => UnsupportedMediaType,
        StatusCodes.Status416RangeNotSatisfiable => RangeNotSatisfiable,
        StatusCodes.Status500InternalServerError => InternalError,
        _ => null,
    };
}
