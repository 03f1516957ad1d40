using System.ComponentModel;
using System.Globalization;
using System.Security.Claims;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;
using ModelContextProtocol;
using ModelContextProtocol.Server;
using NewarBots.Contract;
using NewarBots.Manager.Access;
using NewarBots.Manager.Api;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Listing;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Hosting;
using NewarBots.Manager.Launching;
using NewarBots.Manager.Recordings;
using NewarBots.Manager.Recordings.Transcripts;
using JsonOptions = Microsoft.AspNetCore.Http.Json.JsonOptions;

namespace NewarBots.Manager.Mcp;

/// <summary>
/// The tools for assistants. Each does what a call of the API does, with the same checks and the same JSON. The problems of the API become errors of the
/// tools, with the text that says what to do.
/// </summary>
[McpServerToolType]
internal sealed class BotTools(
    BotRequests requests, BotQueries queries, BotCommands commands, BotIndex index, BotStopper stopper, LaunchSignal launches, StorageLayout storage,
    IOptions<JsonOptions> json, TimeProvider time)
{
    private const string IdDescription = "The bot's id.";

    [McpServerTool(Name = "send_bot", Title = "Send a bot into a meeting", ReadOnly = false, Destructive = false, OpenWorld = true)]
    [Description("Sends a recording bot into an online meeting, now or at a given time. Returns the bot at once; it joins in the background.")]
    public async Task<string> SendAsync(
        ClaimsPrincipal user,
        [Description("The meeting's address from the invitation, for example https://meet.google.com/abc-defg-hij.")] string meetingUrl,
        [Description("The name that the bot shows in the meeting.")] string? botName = null,
        [Description("When the bot starts, ISO 8601 with an offset. Now if absent.")] string? startAt = null,
        [Description("The longest time that the bot stays, in seconds.")] double? maxDuration = null,
        [Description("Key-value pairs to find the bot by later.")] IReadOnlyDictionary<string, string>? metadata = null,
        [Description("The owner of the bot. Only admins may name another user than their own.")] string? userId = null,
        [Description("Repeat the call with the same key to be sure that only one bot is sent.")] string? idempotencyKey = null,
        CancellationToken cancellation = default)
    {
        var body = new JsonObject { ["meetingUrl"] = meetingUrl };
        if (botName is not null)
            body["botName"] = botName;
        if (startAt is not null)
            body["startAt"] = startAt;
        if (maxDuration is not null)
            body["leave"] = new JsonObject { ["maxDuration"] = maxDuration };
        if (metadata is not null)
            body["metadata"] = JsonSerializer.SerializeToNode(metadata);
        if (userId is not null)
            body["userId"] = userId;
        return Answer(await ExplainAsync(() => requests.AcceptAsync(JsonSerializer.SerializeToUtf8Bytes(body), idempotencyKey, Caller.Of(user), cancellation)));
    }

    [McpServerTool(Name = "stop_bot", Title = "Stop a bot", ReadOnly = false, Destructive = false, Idempotent = true, OpenWorld = true)]
    [Description("Makes a bot leave its meeting; its recording is kept. A bot that is not in the call yet is cancelled.")]
    public async Task<string> StopAsync(ClaimsPrincipal user, [Description(IdDescription)] string id) =>
        Answer(await ExplainAsync(async () => await StopEndpoint.StopAsync((await FindAsync(user, id)).Id, queries, commands, stopper, launches, time)));

    [McpServerTool(Name = "list_bots", Title = "List bots", ReadOnly = true, OpenWorld = false)]
    [Description("Finds bots by text, status, time, meeting or metadata. Returns a page of them, their total and counts by status.")]
    public async Task<string> ListAsync(
        ClaimsPrincipal user,
        [Description("Text in a bot's name, meeting address, metadata, status, reason, user, or in the names of participants who spoke.")] string? q = null,
        [Description("Only bots with one of these statuses: scheduled, queued, launching, joining, waiting, recording, leaving, finalizing, completed, failed, cancelled.")]
        IReadOnlyList<string>? status = null,
        [Description("Only bots that are due at this time or later, ISO 8601 with an offset.")] string? from = null,
        [Description("Only bots that are due before this time, ISO 8601 with an offset.")] string? to = null,
        [Description("Only bots of this meeting.")] string? meetingUrl = null,
        [Description("Only bots whose metadata has all these entries.")] IReadOnlyDictionary<string, string>? metadata = null,
        [Description("Only bots of this user.")] string? userId = null,
        [Description("newest (default), oldest, activity, name or longest.")] string? sort = null,
        [Description("Bots on the page, at most 200.")] int limit = 20,
        [Description("nextCursor of the previous page.")] string? cursor = null,
        CancellationToken cancellation = default)
    {
        var query = new Dictionary<string, StringValues> { ["limit"] = limit.ToString(CultureInfo.InvariantCulture) };
        foreach (var (name, value) in ((string, string?)[])[("q", q), ("from", from), ("to", to), ("meetingUrl", meetingUrl), ("userId", userId), ("sort", sort), ("cursor", cursor)])
        {
            if (value is not null)
                query[name] = value;
        }

        if (status is { Count: > 0 })
            query["status"] = new(status.ToArray());
        foreach (var (key, value) in metadata ?? new Dictionary<string, string>())
            query[ListRequest.MetadataPrefix + key] = value;
        var (page, isStale) = await ListEndpoint.FindAsync(new QueryCollection(query), Caller.Of(user), index, queries, cancellation);
        return isStale ? throw Error(ApiProblems.StoreUnavailable()) : Answer(page);
    }

    [McpServerTool(Name = "get_bot", Title = "Look at a bot", ReadOnly = true, OpenWorld = false)]
    [Description("Returns the current state of a bot: its status, why it ended, what was recorded, and where the audio is.")]
    public async Task<string> GetAsync(ClaimsPrincipal user, [Description(IdDescription)] string id) => Serialize(BotResponse.Of(await FindAsync(user, id)));

    [McpServerTool(Name = "get_participants", Title = "List participants", ReadOnly = true, OpenWorld = false)]
    [Description("Returns the participants of a bot's meeting: when they joined and left, and how long they spoke, also while the bot records.")]
    public async Task<string> GetParticipantsAsync(ClaimsPrincipal user, [Description(IdDescription)] string id) =>
        Serialize(ParticipantList.Of(await FindAsync(user, id)));

    [McpServerTool(Name = "get_manifest", Title = "Read a manifest", ReadOnly = true, OpenWorld = false)]
    [Description("Returns what exactly a bot recorded: length, speakers with every turn, gaps and their causes. Available once the bot is completed.")]
    public async Task<string> GetManifestAsync(
        ClaimsPrincipal user,
        [Description(IdDescription)] string id,
        [Description("Also list the files of ten seconds that the recording was made of, with their hashes.")] bool chunks = false)
    {
        var bot = await FindAsync(user, id);
        if (!bot.Status.IsTerminal())
            throw Error(BotProblems.RecordingNotReady(bot));
        return RecordingManifest.TryRead(storage.Manifest(bot.UserId, bot.Id)) is { } manifest
            ? (manifest with { Chunks = chunks ? manifest.Chunks : [] }).ToJson()
            : throw Error(BotProblems.NoRecording(bot));
    }

    [McpServerTool(Name = "get_transcript", Title = "Read a transcript", ReadOnly = true, OpenWorld = false)]
    [Description("Returns what was said in a bot's meeting, with speakers and times. Only for bots with a transcript: get_bot shows its status.")]
    public async Task<string> GetTranscriptAsync(
        ClaimsPrincipal user,
        [Description(IdDescription)] string id,
        [Description("txt (default), md, srt, vtt, or json with the times of each word.")] string format = "txt")
    {
        var bot = await FindAsync(user, id);
        if (TranscriptFormat.Find(format) is not { } wanted)
            throw Error(ApiProblems.InvalidRequest("format", $"must be one of {string.Join(", ", TranscriptFormat.All.Select(known => known.Name))}"));
        if (TranscriptEndpoints.FindFault(bot, storage) is { } fault)
            throw Error(fault);
        var path = storage.Transcript(bot.UserId, bot.Id);
        if (wanted == TranscriptFormat.Json)
            return await File.ReadAllTextAsync(path);
        return Transcript.TryRead(path) is { } transcript ? wanted.Write(transcript) : throw Error(TranscriptProblems.None(bot));
    }

    /// <summary>Other users' bots are not found, as if they did not exist.</summary>
    private async Task<Bot> FindAsync(ClaimsPrincipal user, string id)
    {
        return SessionId.TryParse(id, provider: null, out var session)
            && (await ExplainAsync(() => queries.LookUpAsync(session))).Bot is { } bot && Caller.Of(user).CanReach(bot.UserId)
            ? bot
            : throw Error(BotProblems.NotFound());
    }

    private static async Task<T> ExplainAsync<T>(Func<Task<T>> call)
    {
        try
        {
            return await call();
        }
        catch (Exception exception) when (exception.IsRedisUnavailable())
        {
            throw Error(ApiProblems.StoreUnavailable(exception.DescribeRejectedWrite()));
        }
    }

    private string Answer(INestedHttpResult answer) => answer.Result switch
    {
        IValueHttpResult { Value: { } value } and not ProblemHttpResult => Serialize(value),
        ProblemHttpResult problem => throw Error(problem),
        var other => throw new InvalidOperationException($"{other} has no value."),
    };

    private string Serialize(object value) => JsonSerializer.Serialize(value, value.GetType(), json.Value.SerializerOptions);

    private static McpException Error(ProblemHttpResult problem) => new($"{problem.ProblemDetails.Title} {problem.ProblemDetails.Detail}");
}
