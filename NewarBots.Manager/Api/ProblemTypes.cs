using System.Reflection;

namespace NewarBots.Manager.Api;

/// <summary>A kind of error, by which a program tells errors apart. Once answered, its name and status stay.</summary>
/// <param name="Name">The end of its URI.</param>
/// <param name="Status">The HTTP status it comes with.</param>
/// <param name="Title">What happened, the same each time.</param>
/// <param name="WhatToDo">For whoever gets it.</param>
internal sealed record ProblemType(string Name, int Status, string Title, string WhatToDo)
{
    public const string UriPrefix = "urn:newarbots:problem:";

    public string Uri => UriPrefix + Name;
}

/// <summary>All kinds of errors that the API answers with; <c>docs/problems.md</c> lists them for its users.</summary>
internal static class ProblemTypes
{
    public static ProblemType InvalidRequest { get; } = new(
        "invalid-request", StatusCodes.Status400BadRequest, "The request is not valid.",
        "Correct what `errors` names: each field at fault with what it must be.");

    public static ProblemType KeyRequired { get; } = new(
        "key-required", StatusCodes.Status401Unauthorized, "This needs a key.",
        "Send one of yours as X-API-Key or as Authorization: Bearer; whoever runs the manager makes them: keys add.");

    public static ProblemType KeyNotValid { get; } = new(
        "key-not-valid", StatusCodes.Status401Unauthorized, "The key is not valid.",
        "Check that it is all there; it may have been revoked, or the session is over: sign in again.");

    public static ProblemType NotAllowed { get; } = new(
        "not-allowed", StatusCodes.Status403Forbidden, "The key's role does not reach this.", "Take an admin's key.");

    public static ProblemType LocalOnly { get; } = new(
        "local-only", StatusCodes.Status403Forbidden, "Without keys, the manager serves its own machine alone.",
        "Make a key there: ./run keys add NAME --role admin. Then send it.");

    public static ProblemType CrossSiteRequest { get; } = new(
        "cross-site-request", StatusCodes.Status403Forbidden, "A page of another site asked for this.",
        "Ask from the manager's own page, or by a program with a key; a page of another site can only link here.");

    public static ProblemType BotNotFound { get; } = new(
        "bot-not-found", StatusCodes.Status404NotFound, "There is no such bot.", "Check the id; GET /bots lists yours.");

    public static ProblemType NoRecording { get; } = new(
        "no-recording", StatusCodes.Status404NotFound, "This bot has no recording.",
        "Nothing was recorded: `reason` says why, GET /bots/{id}/evidence shows what the bot saw.");

    public static ProblemType NoTrack { get; } = new(
        "no-track", StatusCodes.Status404NotFound, "This recording has no such track.",
        "Take one of `tracks`. If there are none, none was kept alone: the setting Recording:TrackFiles asks for it.");

    public static ProblemType NoEvidence { get; } = new(
        "no-evidence", StatusCodes.Status404NotFound, "There is no evidence, because nothing went wrong.",
        "Look at the log: GET /bots/{id}/logs.");

    public static ProblemType KeyNotFound { get; } = new(
        "key-not-found", StatusCodes.Status404NotFound, "There is no such key.", "Check the id; GET /keys lists all.");

    public static ProblemType WebhookNotFound { get; } = new(
        "webhook-not-found", StatusCodes.Status404NotFound, "There is no such webhook.", "Check the id; GET /webhooks lists yours.");

    public static ProblemType DeliveryNotFound { get; } = new(
        "delivery-not-found", StatusCodes.Status404NotFound, "This webhook has no such message.",
        "Check the id; GET /webhooks/{id}/deliveries lists those of the last 7 days.");

    public static ProblemType NoSuchCall { get; } = new(
        "no-such-call", StatusCodes.Status404NotFound, "There is nothing at this address.",
        "Check the path and the id in it; /openapi/v1.json lists every call.");

    public static ProblemType MethodNotAllowed { get; } = new(
        "method-not-allowed", StatusCodes.Status405MethodNotAllowed, "This address has no such method.",
        "Take one of those that the header Allow names.");

    public static ProblemType RequestTimeout { get; } = new(
        "request-timeout", StatusCodes.Status408RequestTimeout, "The request did not come in time.",
        "Send it again, without pauses: a body that comes with less than 240 bytes a second is not waited for.");

    public static ProblemType MeetingTaken { get; } = new(
        "meeting-taken", StatusCodes.Status409Conflict, "A bot of this user is in this meeting already.",
        "Follow that bot, whose id is in `botId`, or stop it first.");

    public static ProblemType BotEnded { get; } = new(
        "bot-ended", StatusCodes.Status409Conflict, "The bot has ended.", "There is nothing left to stop; GET /bots/{id} says how it ended.");

    public static ProblemType BotActive { get; } = new(
        "bot-active", StatusCodes.Status409Conflict, "The bot is still active.", "Stop it and wait for its end first: POST /bots/{id}/stop.");

    public static ProblemType BotNotScheduled { get; } = new(
        "bot-not-scheduled", StatusCodes.Status409Conflict, "The bot is not scheduled any more.",
        "It has started, or ended: `botStatus` says. Stop it and send another one, if it should be different.");

    public static ProblemType RecordingNotReady { get; } = new(
        "recording-not-ready", StatusCodes.Status409Conflict, "The recording is not ready.",
        "Ask again once the bot is completed, of which GET /bots/{id}/events tells; while it records, ?partial=true has what there is so far.");

    public static ProblemType EvidenceNotReady { get; } = new(
        "evidence-not-ready", StatusCodes.Status409Conflict, "The bot is still active.",
        "Ask again once it has ended; its log can be read meanwhile.");

    public static ProblemType FirstKeyByCommand { get; } = new(
        "first-key-by-command", StatusCodes.Status409Conflict, "There are no keys yet, and the first is not made by the API.",
        "Make it where the storage folder is: ./run keys add NAME --role admin.");

    public static ProblemType WebhookDisabled { get; } = new(
        "webhook-disabled", StatusCodes.Status409Conflict, "This webhook is told nothing any more.",
        "Its receiver answered 410 Gone: delete it, and make another one.");

    public static ProblemType PreconditionFailed { get; } = new(
        "precondition-failed", StatusCodes.Status412PreconditionFailed, "It is not what the request goes by.",
        "It has changed since, or is another one: ask without If-Match and If-Unmodified-Since.");

    public static ProblemType UnsupportedMediaType { get; } = new(
        "unsupported-media-type", StatusCodes.Status415UnsupportedMediaType, "The body is of a type that this call does not take.",
        "Send JSON, with the header Content-Type: application/json.");

    public static ProblemType RangeNotSatisfiable { get; } = new(
        "range-not-satisfiable", StatusCodes.Status416RangeNotSatisfiable, "The file has no such part.",
        "Ask for a part of what there is: Content-Range says how long it is.");

    public static ProblemType IdempotencyKeyReused { get; } = new(
        "idempotency-key-reused", StatusCodes.Status422UnprocessableEntity, "The Idempotency-Key was used for another request.",
        "Send the same body as before, or take a new key.");

    public static ProblemType UserOverQuota { get; } = new(
        "user-over-quota", StatusCodes.Status429TooManyRequests, "The user has as many active bots as one may have.",
        "Wait for one to end, or stop one; `limit` says how many there may be.");

    public static ProblemType TooManyRequests { get; } = new(
        "too-many-requests", StatusCodes.Status429TooManyRequests, "There were too many requests.",
        "Try again after the seconds in Retry-After; settings in Access say how many there may be.");

    public static ProblemType TooManyScheduled { get; } = new(
        "too-many-scheduled", StatusCodes.Status429TooManyRequests, "The user has as many scheduled bots as one may have.",
        "Wait for one to start, or stop one; `limit` says how many there may be.");

    public static ProblemType TooManyWebhooks { get; } = new(
        "too-many-webhooks", StatusCodes.Status429TooManyRequests, "The user has as many webhooks as one may have.",
        "Delete one first; `limit` says how many there may be.");

    public static ProblemType InternalError { get; } = new(
        "internal-error", StatusCodes.Status500InternalServerError, "Something happened that nobody expected.",
        "Try again; if it stays, look into the manager's log under the traceId.");

    public static ProblemType RecordingNotConverted { get; } = new(
        "recording-not-converted", StatusCodes.Status500InternalServerError, "The recording cannot be converted.",
        "Take the recording as it is, without a format; the detail says what is in the way.");

    public static ProblemType QueueFull { get; } = new(
        "queue-full", StatusCodes.Status503ServiceUnavailable, "Every place is taken, and the queue is full.",
        "Try again after the seconds in Retry-After.");

    public static ProblemType RecordingBeingConverted { get; } = new(
        "recording-being-converted", StatusCodes.Status503ServiceUnavailable, "The recording is being converted.",
        "Ask again after the seconds in Retry-After; it goes on being made.");

    public static ProblemType StoreUnavailable { get; } = new(
        "store-unavailable", StatusCodes.Status503ServiceUnavailable, "Redis cannot be used at the moment.",
        "Bots that run go on recording. Try again after the seconds in Retry-After; GET /health tells when it is back.");

    public static ProblemType KeysUnreadable { get; } = new(
        "keys-unreadable", StatusCodes.Status503ServiceUnavailable, "The keys cannot be read, and nobody is let in.",
        "Bots that run go on recording. Whoever runs the manager finds the reason in its log.");

    public static ProblemType EngineUnavailable { get; } = new(
        "engine-unavailable", StatusCodes.Status503ServiceUnavailable, "The container engine did not do what this needs.",
        "Try again after the seconds in Retry-After; the detail says what the engine lacks.");

    public static IReadOnlyList<ProblemType> All { get; } =
    [
        .. typeof(ProblemTypes).GetProperties(BindingFlags.Public | BindingFlags.Static)
            .Where(property => property.PropertyType == typeof(ProblemType))
            .Select(property => (ProblemType)property.GetValue(obj: null)!),
    ];

    /// <summary>For an error that the framework found before any call of ours was reached.</summary>
    public static ProblemType? OfFramework(int? status) => status switch
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
