using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using NewarBots.Contract;
using NewarBots.Manager.Access;
using NewarBots.Manager.Api;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Recordings;

namespace NewarBots.Manager.OpenApi;

/// <summary>Every call of the API in words, by its name. One that is mapped and not described here fails the description's test.</summary>
internal static class ApiOperations
{
    private const string ExampleId = "0199aaaabbbbccccddddeeeeffff0001";

    private const string ExampleKeyId = "1f0c3b5a7d92";

    private static readonly JsonNode ExampleBot = JsonNode.Parse(
        $$"""
        {
          "id": "{{ExampleId}}", "status": "completed", "reason": "everyone_left", "meetingUrl": "https://meet.google.com/abc-defg-hij",
          "platform": "google_meet", "botName": "Notes", "userId": "default",
          "leave": { "waitingRoomTimeout": 600, "nobodyJoinedTimeout": 600, "everyoneLeftTimeout": 120, "maxDuration": 14400 }, "metadata": { "case": "42" },
          "containerName": "newar-bot-{{ExampleId}}", "createdAt": "2026-03-01T09:00:00Z", "joiningAt": "2026-03-01T09:00:02Z",
          "recordingAt": "2026-03-01T09:00:09Z", "endedAt": "2026-03-01T09:31:12Z", "chunks": 187, "recordedSeconds": 1863.4, "audibleSeconds": 1544.2,
          "participants": 0,
          "recording": { "url": "/bots/{{ExampleId}}/recording", "format": "ogg", "bytes": 5590213, "durationSeconds": 1863.4, "complete": true }
        }
        """)!;

    private static readonly DescribedParameter Id = new("id", ParameterLocation.Path, "The bot's id.", ApiSchemas.Id(), ExampleId);

    private static readonly (string, string) Warning = ("Warning", "`110`: Redis is away, and this is what the manager knew last.");

    private static readonly (string, string) LastModified = ("Last-Modified", "Since when it is like this.");

    private static readonly (string, string) EntityTag = ("ETag", "Of what there is so far: with `chunks`.");

    /// <summary>What any call may answer with: whoever asks is not let in, or is a page of another site, Redis is away, or nobody expected it.</summary>
    public static IReadOnlyList<ProblemType> OfAnyCall { get; } =
    [
        ProblemTypes.KeyRequired, ProblemTypes.KeyNotValid, ProblemTypes.LocalOnly, ProblemTypes.CrossSiteRequest, ProblemTypes.TooManyRequests,
        ProblemTypes.KeysUnreadable, ProblemTypes.StoreUnavailable, ProblemTypes.InternalError,
    ];

    /// <summary>What problems of a type tell besides.</summary>
    public static IReadOnlyDictionary<ProblemType, (string Name, JsonNode Example)> MembersOf { get; } = new Dictionary<ProblemType, (string, JsonNode)>
    {
        [ProblemTypes.InvalidRequest] = ("errors", new JsonObject { ["leave.maxDuration"] = new JsonArray("must be a number of seconds from 1 to 86400") }),
        [ProblemTypes.MeetingTaken] = ("botId", ExampleId),
        [ProblemTypes.BotEnded] = ("botStatus", "completed"),
        [ProblemTypes.BotActive] = ("botStatus", "recording"),
        [ProblemTypes.BotNotScheduled] = ("botStatus", "recording"),
        [ProblemTypes.RecordingNotReady] = ("botStatus", "recording"),
        [ProblemTypes.EvidenceNotReady] = ("botStatus", "recording"),
        [ProblemTypes.NoRecording] = ("reason", "denied_by_host"),
        [ProblemTypes.NoEvidence] = ("reason", "meeting_ended"),
        [ProblemTypes.NoTrack] = ("tracks", new JsonArray(1, 2)),
        [ProblemTypes.UserOverQuota] = ("limit", 10),
        [ProblemTypes.TooManyScheduled] = ("limit", 1000),
        [ProblemTypes.TooManyWebhooks] = ("limit", 20),
        [ProblemTypes.QueueFull] = ("limit", 1000),
    };

    public static IReadOnlyDictionary<string, DescribedOperation> ByName { get; } = new Dictionary<string, DescribedOperation>
    {
        ["CreateBot"] = new(
            "Send a bot into a meeting",
            "Accepts a bot and answers at once; everything slow comes later. With an `Idempotency-Key` the same request may be sent again: it gives the same bot. "
            + "With `startAt` it is `scheduled` until then, and neither takes its meeting nor counts as active; if another bot of its user is in the meeting when it is due, "
            + "or the user has as many active ones as one may have, it waits, says so in `reason` and `error`, and goes as soon as it can, until `startAt` + `leave.maxDuration`.")
        {
            Parameters =
            [
                new(
                    "Idempotency-Key", ParameterLocation.Header, "Makes repeating the request safe for 24 hours.",
                    ApiSchemas.Text("Anything of yours.", minLength: 1, maxLength: 255), "meeting-2026-03-01"),
            ],
            Body = ApiSchemas.CreateBot,
            ExampleBody = JsonNode.Parse(
                """{"meetingUrl": "https://meet.google.com/abc-defg-hij", "botName": "Notes", "leave": {"everyoneLeftTimeout": 120}, "metadata": {"case": "42"}}"""),
            Answers =
            [
                new(202, "The bot is accepted.")
                {
                    ContentTypes = ["application/json"],
                    Schema = ApiSchemas.Bot,
                    Example = With(("status", "queued"), ("reason", null), ("recording", null)),
                    Headers = [("Location", "The bot's address.")],
                },
            ],
            Problems =
            [
                ProblemTypes.InvalidRequest, ProblemTypes.RequestTimeout, ProblemTypes.MeetingTaken, ProblemTypes.UnsupportedMediaType, ProblemTypes.IdempotencyKeyReused,
                ProblemTypes.UserOverQuota, ProblemTypes.TooManyScheduled, ProblemTypes.QueueFull,
            ],
        },
        ["ListBots"] = new("List bots", "One page of bots, newest first.")
        {
            Parameters =
            [
                new("status", ParameterLocation.Query, "Only bots with this status.", ApiSchemas.Words<BotStatus>("A status."), "completed"),
                new("userId", ParameterLocation.Query, "Only this user's; all that the caller may see where it is not given.", ApiSchemas.User("A user."), "default"),
                new("limit", ParameterLocation.Query, "How many there are on a page at most; 50 where it is not given.", ApiSchemas.Whole("A number.", 1, 200), 20),
                new("cursor", ParameterLocation.Query, "`nextCursor` of the page before.", ApiSchemas.Id(), ExampleId),
            ],
            Answers =
            [
                new(200, "A page.")
                {
                    ContentTypes = ["application/json"],
                    Schema = ApiSchemas.BotPage,
                    Example = new JsonObject { ["items"] = new JsonArray(ExampleBot.DeepClone()), ["nextCursor"] = ExampleId },
                    Headers = [Warning],
                },
            ],
            Problems = [ProblemTypes.InvalidRequest],
        },
        ["WatchBots"] = new(
            "Follow all bots",
            "Server-sent events: all bots that are active or scheduled as they are (`event: bot`, the data a bot as `GET /bots/{id}` shows it), then each bot whenever it changes, "
            + "and of one that is deleted its id (`event: deleted`, the data `{\"id\": \"…\"}`). "
            + "Without end; a comment comes every 15 s while nothing happens. Whoever comes back begins anew: ask `GET /bots` once it is open for what ended "
            + "or was deleted meanwhile.")
        {
            Parameters = [new("userId", ParameterLocation.Query, "Only this user's; all that the caller may see where it is not given.", ApiSchemas.User("A user."), "default")],
            Answers = [new(200, "Events, as they happen.") { ContentTypes = ["text/event-stream"] }],
            Problems = [ProblemTypes.InvalidRequest],
        },
        ["GetBot"] = new("Look at a bot", "A bot as it is now.")
        {
            Parameters = [Id],
            Answers = [new(200, "The bot.") { ContentTypes = ["application/json"], Schema = ApiSchemas.Bot, Example = ExampleBot, Headers = [Warning] }],
            Problems = [ProblemTypes.BotNotFound, ProblemTypes.NoSuchCall],
        },
        ["DeleteBot"] = new("Delete a bot", "Recording, chunks, log, evidence and record of an ended bot are gone for good.")
        {
            Parameters = [Id],
            Answers = [new(204, "All of it is gone.")],
            Problems = [ProblemTypes.BotNotFound, ProblemTypes.NoSuchCall, ProblemTypes.BotActive, ProblemTypes.EngineUnavailable],
        },
        ["ChangeBot"] = new(
            "Change a scheduled bot",
            "What is given replaces the whole of what was there; what is not, or is null, stays. A `startAt` that has passed means now. Meeting and user stay as they are.")
        {
            Parameters = [Id],
            Body = ApiSchemas.ChangeBot,
            ExampleBody = JsonNode.Parse("""{"botName": "Notes of Monday"}"""),
            Answers =
            [
                new(200, "The bot as it is now.")
                {
                    ContentTypes = ["application/json"],
                    Schema = ApiSchemas.Bot,
                    Example = With(
                        ("status", "scheduled"), ("botName", "Notes of Monday"), ("startAt", "2026-03-02T09:00:00Z"), ("reason", null), ("joiningAt", null),
                        ("recordingAt", null), ("endedAt", null), ("chunks", 0), ("recordedSeconds", 0), ("audibleSeconds", null), ("participants", null),
                        ("recording", null)),
                },
            ],
            Problems =
            [
                ProblemTypes.InvalidRequest, ProblemTypes.BotNotFound, ProblemTypes.NoSuchCall, ProblemTypes.RequestTimeout, ProblemTypes.BotNotScheduled,
                ProblemTypes.UnsupportedMediaType,
            ],
        },
        ["StopBot"] = new("Stop a bot", "The bot leaves the meeting, and what was recorded is kept. One that has not started yet, or is scheduled, ends at once. May be repeated until it has ended.")
        {
            Parameters = [Id],
            Answers =
            [
                new(202, "It is leaving.")
                {
                    ContentTypes = ["application/json"],
                    Schema = ApiSchemas.Bot,
                    Example = With(("status", "leaving"), ("reason", "stop_requested"), ("recording", null)),
                    Headers = [("Location", "The bot's address.")],
                },
            ],
            Problems = [ProblemTypes.BotNotFound, ProblemTypes.NoSuchCall, ProblemTypes.BotEnded],
        },
        ["FollowBot"] = new(
            "Follow a bot",
            "Server-sent events: everything that was said of the bot, then what is said, until its end. `event: status` has a status message as on the Redis "
            + "channel `bot:status:{id}`; `event: end` comes last and has the bot as `GET /bots/{id}` shows it. A comment comes every 15 s while nothing "
            + "happens. Whoever comes back with `Last-Event-ID` gets what they have missed, also while Redis was away.")
        {
            Parameters =
            [
                Id,
                new(
                    "Last-Event-ID", ParameterLocation.Header, "The id of the last event that was received; browsers send it by themselves.",
                    ApiSchemas.Text("An event's id.", pattern: "^[0-9]+-[0-9]+$"), "1772355600000-0"),
            ],
            Answers =
            [
                new(200, "Events, as they happen.") { ContentTypes = ["text/event-stream"] },
                new(204, "The bot has ended, and there is nothing behind `Last-Event-ID`: a browser's EventSource does not come back."),
            ],
            Problems = [ProblemTypes.InvalidRequest, ProblemTypes.BotNotFound, ProblemTypes.NoSuchCall],
        },
        ["GetBotLog"] = new("Read a bot's log", "What the bot's container printed; it is kept when the container is removed.")
        {
            Parameters =
            [
                Id,
                new(
                    "follow", ParameterLocation.Query, "`true`: goes on with what is printed, until the container ends; waits for one that is still to come.",
                    ApiSchemas.Choice("Whether to go on.", "true", "false"), "false"),
            ],
            Answers = [new(200, "The log.") { ContentTypes = ["text/plain"], Headers = [Warning] }],
            Problems = [ProblemTypes.InvalidRequest, ProblemTypes.BotNotFound, ProblemTypes.NoSuchCall, ProblemTypes.EngineUnavailable],
        },
        ["GetRecording"] = new(
            "Get the recording",
            "The audio, with `Range` and conditions (RFC 9110, 13 and 14). Another format than `ogg` is made when it is asked for first, and kept; where that takes longer than 45 s, the answer is "
            + "503 with `Retry-After`, and it goes on being made. While the bot still records, `partial=true` leads to what there is so far, as Ogg.")
        {
            Parameters =
            [
                Id,
                new("format", ParameterLocation.Query, "`ogg` (Opus) where it is not given.", ApiSchemas.Choice("A format.", AudioFormat.All.Select(format => format.Name)), "mp3"),
                new(
                    "track", ParameterLocation.Query, "One track alone, where `Recording:TrackFiles` was on; the manifest lists them.",
                    ApiSchemas.Whole("Its number.", 0, StorageLayout.MaxTrack), 1),
                new(
                    "partial", ParameterLocation.Query, "`true`: while the bot still records, leads to what there is so far.",
                    ApiSchemas.Choice("Whether a part will do.", "true", "false"), "false"),
                new(
                    "chunks", ParameterLocation.Query, "While the bot still records: its first so many chunks. What `partial=true` leads to; it never changes.",
                    ApiSchemas.Whole("A number of chunks.", 1, 99_999), 17),
                new("Range", ParameterLocation.Header, "A part of it (RFC 9110, 14.2).", ApiSchemas.Text("Bytes."), "bytes=0-1023"),
            ],
            Answers =
            [
                new(200, "The file.") { ContentTypes = [.. AudioFormat.All.Select(format => format.ContentType)], Headers = [Warning, ("Accept-Ranges", "`bytes`."), LastModified, EntityTag] },
                new(206, "A part of it.") { ContentTypes = [.. AudioFormat.All.Select(format => format.ContentType)], Headers = [("Content-Range", "Which part.")] },
                new(302, "To what there is so far; or, with `chunks`, to the whole recording once the bot has ended.") { Headers = [("Location", "Where it is.")] },
                new(304, "It is still what `If-None-Match` or `If-Modified-Since` says.") { Headers = [LastModified, EntityTag] },
            ],
            Problems =
            [
                ProblemTypes.InvalidRequest, ProblemTypes.BotNotFound, ProblemTypes.NoSuchCall, ProblemTypes.NoRecording, ProblemTypes.NoTrack,
                ProblemTypes.RecordingNotReady, ProblemTypes.PreconditionFailed, ProblemTypes.RangeNotSatisfiable, ProblemTypes.RecordingNotConverted,
                ProblemTypes.RecordingBeingConverted,
            ],
        },
        ["GetManifest"] = new("Get the manifest", "What exactly was recorded: chunks with hashes and wall-clock times, gaps, audible seconds, who spoke when.")
        {
            Parameters = [Id],
            Answers =
            [
                new(200, "The manifest.") { ContentTypes = ["application/json"], Schema = ManifestSchema.Name, Headers = [Warning, LastModified] },
                new(304, "It is still what `If-Modified-Since` says.") { Headers = [LastModified] },
            ],
            Problems =
            [
                ProblemTypes.BotNotFound, ProblemTypes.NoSuchCall, ProblemTypes.NoRecording, ProblemTypes.RecordingNotReady, ProblemTypes.PreconditionFailed,
            ],
        },
        ["GetEvidence"] = new(
            "Get the evidence of a failure",
            "A zip: screenshot, page source, console, what was recognised on the page, WebRTC statistics, and the log.")
        {
            Parameters = [Id],
            Answers = [new(200, "The zip.") { ContentTypes = ["application/zip"] }],
            Problems = [ProblemTypes.BotNotFound, ProblemTypes.NoSuchCall, ProblemTypes.NoEvidence, ProblemTypes.EvidenceNotReady, ProblemTypes.EngineUnavailable],
        },
        ["AddKey"] = new("Make a key", "For a user of the manager, or another admin. The key itself is told this once. The very first is made by the command `keys add`.")
        {
            Body = ApiSchemas.CreateKey,
            ExampleBody = JsonNode.Parse("""{"name": "Notes of the sales team", "userId": "sales", "role": "user"}"""),
            Answers =
            [
                new(201, "The key.")
                {
                    ContentTypes = ["application/json"],
                    Schema = ApiSchemas.NewKey,
                    Example = Key(withSecret: true),
                    Headers = [("Location", "The key's address.")],
                },
            ],
            Problems = [ProblemTypes.InvalidRequest, ProblemTypes.NotAllowed, ProblemTypes.RequestTimeout, ProblemTypes.FirstKeyByCommand, ProblemTypes.UnsupportedMediaType],
        },
        ["ListKeys"] = new("List keys", "All of them, without their secrets; none where there are none.")
        {
            Answers =
            [
                new(200, "The keys.")
                {
                    ContentTypes = ["application/json"],
                    Schema = ApiSchemas.KeyList,
                    Example = new JsonObject { ["items"] = new JsonArray(Key(withSecret: false)) },
                },
            ],
            Problems = [ProblemTypes.NotAllowed],
        },
        ["RevokeKey"] = new("Revoke a key", "It ends at once, with every session of it and every stream that it has open.")
        {
            Parameters = [new("id", ParameterLocation.Path, "The key's id.", ApiSchemas.Text("A key's id."), ExampleKeyId)],
            Answers = [new(204, "It is no key any more.")],
            Problems = [ProblemTypes.NotAllowed, ProblemTypes.KeyNotFound],
        },
        ["SignIn"] = new(
            "Sign a browser in",
            "Asked with a key, it answers with a cookie that is as good as the key for 12 hours: for what a browser fetches by itself and cannot be told headers for.")
        {
            Answers = [new(200, "Who is signed in.") { ContentTypes = ["application/json"], Schema = ApiSchemas.Session, Example = Session(), Headers = [("Set-Cookie", "The session.")] }],
        },
        ["GetSession"] = new("Who am I", "Whose key this is, or whose session. Where there are no keys, it is an admin without one.")
        {
            Answers = [new(200, "Who asks.") { ContentTypes = ["application/json"], Schema = ApiSchemas.Session, Example = Session() }],
        },
        ["SignOut"] = new("Sign a browser out", "The session is over; a key goes on.")
        {
            Answers = [new(204, "It is over.") { Headers = [("Set-Cookie", "None any more.")] }],
        },
    }.Concat(WebhookOperations.ByName).ToDictionary();

    public static IEnumerable<(string Name, string Description)> HeadersOf(int status) =>
        status switch
        {
            StatusCodes.Status401Unauthorized => [("WWW-Authenticate", "`Bearer`.")],
            StatusCodes.Status416RangeNotSatisfiable => [("Content-Range", "How long the file is.")],
            StatusCodes.Status429TooManyRequests => [("Retry-After", "Seconds after which to try again; for too-many-requests alone.")],
            StatusCodes.Status503ServiceUnavailable => [("Retry-After", "Seconds after which to try again.")],
            _ => [],
        };

    private static JsonObject Key(bool withSecret)
    {
        var key = new JsonObject
        {
            ["id"] = ExampleKeyId,
            ["name"] = "Notes of the sales team",
            ["userId"] = "sales",
            ["role"] = "user",
            ["createdAt"] = "2026-03-01T09:00:00Z",
        };
        if (withSecret)
            key["secret"] = $"nwb_{ExampleKeyId}_…";
        return key;
    }

    private static JsonObject Session() => new()
    {
        ["role"] = "user",
        ["userId"] = "sales",
        ["keyId"] = ExampleKeyId,
        ["name"] = "Notes of the sales team",
        ["expiresAt"] = "2026-03-01T21:00:00Z",
    };

    private static JsonObject With(params (string Name, JsonNode? Value)[] changes)
    {
        var bot = ExampleBot.DeepClone().AsObject();
        foreach (var (name, value) in changes)
        {
            if (value is null)
                bot.Remove(name);
            else
                bot[name] = value;
        }

        return bot;
    }
}
