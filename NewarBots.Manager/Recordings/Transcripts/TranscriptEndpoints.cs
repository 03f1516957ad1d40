using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;
using NewarBots.Contract;
using NewarBots.Manager.Api;
using NewarBots.Manager.Api.OpenApi;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Bots.Transcripts;

namespace NewarBots.Manager.Recordings.Transcripts;

/// <summary>The transcript of a bot's recording.</summary>
internal static class TranscriptEndpoints
{
    private const string EntityTag = "Identifies this version of the transcript.";

    private static readonly string[] OtherTypes = [.. TranscriptFormat.All.Skip(1).Select(format => format.ContentType)];

    public static IEndpointRouteBuilder MapTranscripts(this IEndpointRouteBuilder routes)
    {
        var bot = routes.MapBotGroup();
        bot.MapGet("/transcript", GetAsync).WithName("GetTranscript")
            .Produces<Transcript>(StatusCodes.Status200OK, TranscriptFormat.Json.ContentType, OtherTypes)
            .Produces(StatusCodes.Status304NotModified)
            .WithProblems(
                ProblemTypes.InvalidRequest, ProblemTypes.BotNotFound, ProblemTypes.NoSuchCall, ProblemTypes.NoRecording, ProblemTypes.NoTranscript,
                ProblemTypes.RecordingNotReady, ProblemTypes.TranscriptNotReady, ProblemTypes.PreconditionFailed)
            .WithStaleWarning()
            .WithResponseHeader(StatusCodes.Status200OK, "ETag", EntityTag)
            .WithResponseHeader(StatusCodes.Status304NotModified, "ETag", EntityTag);
        bot.MapPost("/transcript", MakeAsync).WithName("MakeTranscript").WithProblems(
            ProblemTypes.InvalidRequest, ProblemTypes.BotNotFound, ProblemTypes.NoSuchCall, ProblemTypes.NoRecording, ProblemTypes.RecordingNotReady,
            ProblemTypes.TranscriptionOff);
        return routes;
    }

    /// <summary>Get the transcript</summary>
    /// <remarks>
    /// The text of the recording with speakers and times, with support for conditional requests. `transcript.status` of the bot tells whether it is ready.
    /// Texts and names come from a speech server and a meeting page: show them as text, not as HTML.
    /// </remarks>
    /// <param name="id" example="0199aaaabbbbccccddddeeeeffff0001">The bot's id.</param>
    /// <param name="format" example="vtt">The format: `json`, plain text, SubRip, WebVTT or Markdown. Default: `json`.</param>
    /// <response code="200">The transcript.</response>
    /// <response code="304">The transcript still matches `If-None-Match`.</response>
    public static async Task<IResult> GetAsync(
        SessionId id, BotQueries queries, StorageLayout storage, [AllowedValues("json", "txt", "srt", "vtt", "md")] string? format, HttpResponse response)
    {
        if (TranscriptFormat.Find(format ?? TranscriptFormat.Json.Name) is not { } wanted)
            return ApiProblems.InvalidRequest("format", $"must be one of {string.Join(", ", TranscriptFormat.All.Select(known => known.Name))}");
        if (await queries.LookUpAsync(id, response) is not { } bot)
            return BotProblems.NotFound();
        if (FindFault(bot, storage) is { } fault)
            return fault;

        var file = new FileInfo(storage.Transcript(bot.UserId, id));
        var name = $"{id}.transcript.{wanted.Name}";
        var tag = new EntityTagHeaderValue(string.Create(CultureInfo.InvariantCulture, $"\"{file.LastWriteTimeUtc.Ticks:x}-{file.Length:x}-{wanted.Name}\""));
        if (wanted == TranscriptFormat.Json)
            return TypedResults.PhysicalFile(file.FullName, wanted.ContentType, name, entityTag: tag);
        return Transcript.TryRead(file.FullName) is { } transcript
            ? TypedResults.File(Encoding.UTF8.GetBytes(wanted.Write(transcript)), $"{wanted.ContentType}; charset=utf-8", name, entityTag: tag)
            : TranscriptProblems.None(bot);
    }

    /// <returns>Why there is no transcript to read; <see langword="null"/> if there is one.</returns>
    public static ProblemHttpResult? FindFault(Bot bot, StorageLayout storage) => bot switch
    {
        { Status: var status } when !status.IsTerminal() => BotProblems.RecordingNotReady(bot),
        { Recording: null } => BotProblems.NoRecording(bot),
        { Transcript.HasText: true } when File.Exists(storage.Transcript(bot.UserId, bot.Id)) => null,
        { Transcript: { IsUnderWay: true } unfinished } => TranscriptProblems.NotReady(unfinished),
        _ => TranscriptProblems.None(bot),
    };

    /// <summary>Make the transcript</summary>
    /// <remarks>
    /// Requests the transcript of a finished recording, for the first time or again. It is made in the background; a webhook and the event stream of all bots
    /// report its end. While one is being made, nothing changes; an earlier text stays until then, and if the repeat fails. Requires a speech server.
    /// </remarks>
    /// <param name="id" example="0199aaaabbbbccccddddeeeeffff0001">The bot's id.</param>
    /// <param name="language" example="en">The language that is spoken. Default: as in the request for the bot, or else as set by the operator.</param>
    /// <response code="202">The transcript is pending.</response>
    public static async Task<Results<Accepted<BotResponse>, ProblemHttpResult>> MakeAsync(
        SessionId id, [MinLength(2), MaxLength(CreateBotRequest.MaxLanguageLength)] string? language,
        BotQueries queries, BotCommands commands, StorageLayout storage, IOptions<TranscriptionOptions> options, TimeProvider time)
    {
        if (language is not null && !TranscriptionOptions.IsLanguage(language))
            return ApiProblems.InvalidRequest("language", TranscriptChoice.LanguageFault);
        if (await queries.FindAsync(id) is not { } bot)
            return BotProblems.NotFound();
        if (!bot.Status.IsTerminal())
            return BotProblems.RecordingNotReady(bot);
        if (bot.Recording is null || !File.Exists(storage.Recording(bot.UserId, id)))
            return BotProblems.NoRecording(bot);
        if (!options.Value.IsOn)
            return TranscriptProblems.Off();
        return await commands.UpdateAsync(id, known => TranscriptLifecycle.Requested(known, language, time.GetUtcNow())) is { } requested
            ? BotEndpoints.Accepted(requested)
            : BotProblems.NotFound();
    }
}
