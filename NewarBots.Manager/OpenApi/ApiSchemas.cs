using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using NewarBots.Contract;
using NewarBots.Manager.Access;
using NewarBots.Manager.Api;
using NewarBots.Manager.Bots;

namespace NewarBots.Manager.OpenApi;

/// <summary>
/// What goes in and comes out, as JSON schemas. They are stated rather than derived: the request is read by hand, ids and status
/// words have converters of their own, and a schema without a word about each field helps nobody. Tests hold them to the code.
/// </summary>
internal static class ApiSchemas
{
    public const string CreateBot = "CreateBot";
    public const string ChangeBot = "ChangeBot";
    public const string Bot = "Bot";
    public const string BotPage = "BotPage";
    public const string Problem = "Problem";
    public const string CreateKey = "CreateKey";
    public const string NewKey = "NewKey";
    public const string KeyList = "KeyList";
    public const string Session = "Session";
    private const string Key = "Key";

    public static OpenApiSchema Id(string description = "A session id.") => Text(description, pattern: "^[0-9a-f]{32}$");

    public static OpenApiSchema User(string description) => Text(description, pattern: $"^[a-z0-9_-]{{1,{UserId.MaxLength}}}$");

    /// <summary>As it comes back; what may be given is told where it is given.</summary>
    public static OpenApiSchema StoredMetadata() => new()
    {
        Type = JsonSchemaType.Object,
        Description = "As it was given.",
        AdditionalProperties = new OpenApiSchema { Type = JsonSchemaType.String },
    };

    public static OpenApiSchema Words<T>(string description) where T : struct, Enum => new()
    {
        Type = JsonSchemaType.String,
        Description = description,
        Enum = [.. Enum.GetValues<T>().Select(value => (JsonNode)WireWord.Of(value))],
    };

    public static OpenApiSchema Choice(string description, params IEnumerable<string> words) => new()
    {
        Type = JsonSchemaType.String,
        Description = description,
        Enum = [.. words.Select(word => (JsonNode)word)],
    };

    public static OpenApiSchema Whole(string description, int minimum, int? maximum = null) => new()
    {
        Type = JsonSchemaType.Integer,
        Description = description,
        Minimum = Number(minimum),
        Maximum = maximum is { } most ? Number(most) : null,
    };

    public static OpenApiSchema Text(string description, string? pattern = null, string? format = null, int? minLength = null, int? maxLength = null) => new()
    {
        Type = JsonSchemaType.String,
        Description = description,
        Pattern = pattern,
        Format = format,
        MinLength = minLength,
        MaxLength = maxLength,
    };

    public static void AddTo(OpenApiDocument document)
    {
        var leave = Object(
            "When the bot leaves by itself. Each is a duration in seconds from the moment its condition began to hold.",
            ("waitingRoomTimeout", Leave("Longest wait to be let in.", new LeaveConditions().WaitingRoomTimeout)),
            ("nobodyJoinedTimeout", Leave("Longest time alone in a call that nobody else has joined yet.", new LeaveConditions().NobodyJoinedTimeout)),
            ("everyoneLeftTimeout", Leave("Longest time alone after others were there.", new LeaveConditions().EveryoneLeftTimeout)),
            ("silenceTimeout", OrNull(Leave("Longest silence; off where it is null or not given.", otherwise: null))),
            ("maxDuration", Leave("Longest life of the bot.", new LeaveConditions().MaxDuration)));
        leave.AdditionalPropertiesAllowed = false;

        var metadata = new OpenApiSchema
        {
            Type = JsonSchemaType.Object,
            Description = $"Anything of yours, which comes back with the bot; names of up to {CreateBotRequest.MaxMetadataKeyLength} characters.",
            MaxProperties = CreateBotRequest.MaxMetadataEntries,
            AdditionalProperties = new OpenApiSchema { Type = JsonSchemaType.String, MaxLength = CreateBotRequest.MaxMetadataValueLength },
        };
        var startAt = Text($"When it is to start, with the offset; at most {CreateBotRequest.LongestAhead.TotalDays} days ahead. What has passed means now, as long as the bot would not have had to leave since.", format: "date-time");
        var botName = Text("The name under which the bot shows itself.", minLength: 1, maxLength: CreateBotRequest.MaxBotNameLength);

        var create = Object(
            "A bot that is wanted.",
            ("meetingUrl", Text("The meeting's address, as it is in the invitation. Its host must be one of Meetings:AllowedHosts.", format: "uri")),
            ("botName", OrNull(Text("The name under which the bot shows itself.", minLength: 1, maxLength: CreateBotRequest.MaxBotNameLength))),
            ("userId", OrNull(User($"Whose the bot is to be; its key's user where it is not given, `{UserId.Default}` where there are no keys. Another's only with an admin's key."))),
            ("leave", OrNull(leave)),
            ("metadata", OrNull(metadata)),
            ("startAt", OrNull(startAt)));
        create.Properties!["botName"] = WithDefault(create, "botName", CreateBotRequest.DefaultBotName);
        create.AdditionalPropertiesAllowed = false;
        create.Required = new HashSet<string> { "meetingUrl" };

        var change = Object(
            "What is to be different about a scheduled bot.",
            ("startAt", startAt),
            ("botName", OrNull(botName)),
            ("leave", leave),
            ("metadata", metadata));
        change.AdditionalPropertiesAllowed = false;

        var recording = Object(
            "The finished file.",
            ("url", Text("Where the audio is had, relative to the manager.")),
            ("format", Text("Its format: ogg (Opus).")),
            ("bytes", Whole("Its size.", 0)),
            ("durationSeconds", Seconds("Its length, as decoded.")),
            ("complete", new() { Type = JsonSchemaType.Boolean, Description = "false where something is missing: see the bot's reason and the manifest." }));
        RequireAll(recording);

        var inForce = Object(
            "When it leaves by itself: all conditions in force, in seconds, also those that were not given.",
            ("waitingRoomTimeout", Seconds("Longest wait to be let in.")),
            ("nobodyJoinedTimeout", Seconds("Longest time alone in a call that nobody else has joined yet.")),
            ("everyoneLeftTimeout", Seconds("Longest time alone after others were there.")),
            ("silenceTimeout", Seconds("Longest silence; absent where it is off.")),
            ("maxDuration", Seconds("Longest life of the bot.")));
        inForce.Required = inForce.Properties!.Keys.Except(["silenceTimeout"]).ToHashSet();

        var bot = Object(
            "A bot. Absent where unknown; times are UTC, durations in seconds.",
            ("id", Id()),
            ("status", Words<BotStatus>("How far it is. completed and failed are final.")),
            ("reason", Words<EndReason>("Why it ended, or is ending; while it is recording, a warning; while it is scheduled, why it has to wait although it is due.")),
            ("meetingUrl", Text("Where it goes.", format: "uri")),
            ("platform", Words<Platform>("What kind of page the meeting is.")),
            ("botName", Text("The name under which it shows itself.")),
            ("userId", User("Whose it is.")),
            ("leave", inForce),
            ("metadata", StoredMetadata()),
            ("containerName", Text("Its container's.")),
            ("createdAt", Time("When it was asked for.")),
            ("startAt", Time("When it is to start, or was, where that was asked for.")),
            ("joiningAt", Time("When it went to the meeting.")),
            ("recordingAt", Time("When it began to record.")),
            ("endedAt", Time("When its life ended.")),
            ("chunks", Whole("Pieces of audio on disk so far; afterwards those in the recording.", 0)),
            ("recordedSeconds", Seconds("Length of what is recorded so far.")),
            ("audibleSeconds", Seconds("How much of it is not silent.")),
            ("participants", Whole("How many others are in the call, where the page tells.", 0)),
            ("level", new() { Type = JsonSchemaType.Integer, Description = "How loud its last second was, in dBFS; -127 for digital silence." }),
            ("recording", recording),
            ("error", Text("One line for a person about what went wrong.")));
        bot.Required = new HashSet<string>
        {
            "id", "status", "meetingUrl", "platform", "botName", "userId", "leave", "metadata", "containerName", "createdAt", "chunks", "recordedSeconds",
        };

        document.AddComponent(CreateBot, create);
        document.AddComponent(ChangeBot, change);
        document.AddComponent(Bot, bot);
        var page = Object(
            "A page of bots.",
            ("items", new() { Type = JsonSchemaType.Array, Description = "Newest first.", Items = new OpenApiSchemaReference(Bot, document) }),
            ("nextCursor", Text("To be sent as cursor for the next page; absent on the last one.")));
        page.Required = new HashSet<string> { "items" };
        document.AddComponent(BotPage, page);
        ManifestSchema.AddTo(document);
        AddKeysTo(document);
        WebhookOperations.AddSchemasTo(document);

        var problem = Object(
            "An error (RFC 9457). Which of the members behind traceId it has depends on its type; the examples show them.",
            ("type", Choice("By which a program tells errors apart; it stays.", ProblemTypes.All.Select(type => type.Uri))),
            ("title", Text("What happened, the same for each type.")),
            ("status", Whole("The HTTP status.", 400, 599)),
            ("detail", Text("What happened this time, and what to do.")),
            ("traceId", Text("Under which the manager's log and traces have it.")),
            ("errors", new()
            {
                Type = JsonSchemaType.Object,
                Description = "Each field, parameter or header at fault, dotted where nested, with what it must be; `body` for all of it.",
                AdditionalProperties = new OpenApiSchema { Type = JsonSchemaType.Array, Items = new OpenApiSchema { Type = JsonSchemaType.String } },
            }),
            ("botId", Id("The bot that is in the way.")),
            ("botStatus", Words<BotStatus>("How far the bot is.")),
            ("reason", Words<EndReason>("Why the bot ended.")),
            ("limit", Whole("How many there may be.", 0)),
            ("tracks", new() { Type = JsonSchemaType.Array, Description = "The numbers of those that there are.", Items = new OpenApiSchema { Type = JsonSchemaType.Integer } }));
        problem.Required = new HashSet<string> { "type", "title", "status" };
        document.AddComponent(Problem, problem);
    }

    private static void AddKeysTo(OpenApiDocument document)
    {
        var create = Object(
            "A key that is wanted.",
            ("name", Text("What it is called, for whoever lists keys.", minLength: 1, maxLength: AccessKey.MaxNameLength)),
            ("userId", User("Whose bots it reaches.")),
            ("role", Words<AccessRole>("user: its user's bots; admin: everybody's, and the keys.")));
        create.Properties!["userId"] = WithDefault(create, "userId", UserId.Default.ToString());
        create.Properties["role"] = WithDefault(create, "role", WireWord.Of(AccessRole.User));
        create.AdditionalPropertiesAllowed = false;
        create.Required = new HashSet<string> { "name" };
        document.AddComponent(CreateKey, create);

        document.AddComponent(Key, KeySchema("A key, without its secret."));
        var created = KeySchema("A key that was just made.");
        created.Properties!["secret"] = Text("The key itself, to be sent as X-API-Key. It is told this once.");
        RequireAll(created);
        document.AddComponent(NewKey, created);
        var list = Object(
            "All keys.",
            ("items", new() { Type = JsonSchemaType.Array, Description = "In the order they were made.", Items = new OpenApiSchemaReference(Key, document) }));
        RequireAll(list);
        document.AddComponent(KeyList, list);

        var session = Object(
            "Who asks. Where there are no keys, the role alone.",
            ("role", Words<AccessRole>("How far they reach.")),
            ("userId", User("The key's user.")),
            ("keyId", Text("The key's id.")),
            ("name", Text("The key's name.")),
            ("expiresAt", Time("When the session ends, where it is one.")));
        session.Required = new HashSet<string> { "role" };
        document.AddComponent(Session, session);

        static OpenApiSchema KeySchema(string description)
        {
            var key = Object(
                description,
                ("id", Text("Under which it is revoked; no secret.")),
                ("name", Text("What it is called.")),
                ("userId", User("Whose bots it reaches.")),
                ("role", Words<AccessRole>("How far it reaches.")),
                ("createdAt", Time("When it was made.")));
            RequireAll(key);
            return key;
        }
    }

    public static OpenApiSchema Object(string description, params (string Name, OpenApiSchema Schema)[] properties) => new()
    {
        Type = JsonSchemaType.Object,
        Description = description,
        Properties = properties.ToDictionary(property => property.Name, IOpenApiSchema (property) => property.Schema),
    };

    public static void RequireAll(OpenApiSchema schema) => schema.Required = schema.Properties!.Keys.ToHashSet();

    public static OpenApiSchema OrNull(OpenApiSchema schema)
    {
        schema.Type |= JsonSchemaType.Null;
        return schema;
    }

    private static OpenApiSchema WithDefault(OpenApiSchema schema, string property, JsonNode value)
    {
        var changed = (OpenApiSchema)schema.Properties![property];
        changed.Default = value;
        return changed;
    }

    private static OpenApiSchema Leave(string description, TimeSpan? otherwise) => new()
    {
        Type = JsonSchemaType.Number,
        Description = description,
        Minimum = Number(1),
        Maximum = Number(CreateBotRequest.LongestDuration.TotalSeconds),
        Default = otherwise?.TotalSeconds,
    };

    public static OpenApiSchema Seconds(string description) => new() { Type = JsonSchemaType.Number, Description = description, Minimum = Number(0) };

    public static OpenApiSchema Time(string description) => Text(description, format: "date-time");

    private static string Number(double value) => value.ToString(CultureInfo.InvariantCulture);
}
