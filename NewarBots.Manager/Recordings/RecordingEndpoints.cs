using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Microsoft.Extensions.Options;
using Microsoft.OpenApi;
using NewarBots.Contract;
using NewarBots.Manager.Api;
using NewarBots.Manager.Api.OpenApi;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Hosting;

namespace NewarBots.Manager.Recordings;

/// <summary>The recording of a bot and its manifest.</summary>
internal static class RecordingEndpoints
{
    private const string RetryAfterSeconds = "10";

    private const string QueueRetryAfterSeconds = "60";

    /// <summary>The file names of chunks have five digits.</summary>
    private const int MaxChunks = 99_999;

    private const int LatestChunk = -1;

    private const string LastModified = "Time of the last change of the file.";

    private const string EntityTag = "Identifies the recording so far; only with `chunks`.";

    private static readonly string[] ConvertedTypes = [.. AudioFormat.Converted.Select(format => format.ContentType)];

    public static IEndpointRouteBuilder MapRecordings(this IEndpointRouteBuilder routes)
    {
        var bot = routes.MapBotGroup();
        bot.MapGet("/recording", GetRecordingAsync).WithName("GetRecording")
            .Produces<Stream>(StatusCodes.Status200OK, AudioFormat.Ogg.ContentType, ConvertedTypes)
            .Produces<Stream>(StatusCodes.Status206PartialContent, AudioFormat.Ogg.ContentType, ConvertedTypes)
            .Produces(StatusCodes.Status302Found)
            .Produces(StatusCodes.Status304NotModified)
            .WithProblems(
                ProblemTypes.InvalidRequest, ProblemTypes.BotNotFound, ProblemTypes.NoSuchCall, ProblemTypes.NoRecording, ProblemTypes.NoTrack,
                ProblemTypes.RecordingNotReady, ProblemTypes.PreconditionFailed, ProblemTypes.RangeNotSatisfiable, ProblemTypes.RecordingNotConverted,
                ProblemTypes.RecordingBeingConverted, ProblemTypes.QueueFull)
            .WithStaleWarning()
            .WithResponseHeader(StatusCodes.Status200OK, "Accept-Ranges", "`bytes`.")
            .WithResponseHeader(StatusCodes.Status200OK, "Last-Modified", LastModified)
            .WithResponseHeader(StatusCodes.Status200OK, "ETag", EntityTag)
            .WithResponseHeader(StatusCodes.Status200OK, "Content-Disposition", "The suggested file name.")
            .WithResponseHeader(StatusCodes.Status206PartialContent, "Content-Range", "The range of the file.")
            .WithResponseHeader(StatusCodes.Status302Found, "Location", "Path of the recording.")
            .WithResponseHeader(StatusCodes.Status304NotModified, "Last-Modified", LastModified)
            .WithResponseHeader(StatusCodes.Status304NotModified, "ETag", EntityTag)
            .AddOpenApiOperationTransformer((operation, _, _) => AddRangeParameter(operation));
        bot.MapMethods("/recording", [HttpMethods.Head], GetRecordingAsync).ExcludeFromDescription();
        bot.MapGet("/manifest", GetManifestAsync).WithName("GetManifest")
            .Produces<RecordingManifest>()
            .Produces(StatusCodes.Status304NotModified)
            .WithProblems(
                ProblemTypes.BotNotFound, ProblemTypes.NoSuchCall, ProblemTypes.NoRecording, ProblemTypes.RecordingNotReady, ProblemTypes.PreconditionFailed)
            .WithStaleWarning()
            .WithResponseHeader(StatusCodes.Status200OK, "Last-Modified", LastModified)
            .WithResponseHeader(StatusCodes.Status304NotModified, "Last-Modified", LastModified);
        return routes;
    }

    /// <summary>Get the recording</summary>
    /// <remarks>
    /// The audio, with support for `Range` and conditional requests (RFC 9110, 13 and 14). Formats other than `ogg` are converted on the first request
    /// and kept. If the conversion takes longer than 45 s, the response is 503 with `Retry-After`, and the conversion continues. While the bot records,
    /// `partial=true` redirects to an immutable snapshot of the recording so far, as Ogg. `Content-Disposition` suggests a file name such as
    /// `2026-11-29 Sales call ACME.mp3` (RFC 6266), from the UTC date of the recording and the bot's name.
    /// </remarks>
    /// <param name="id" example="0199aaaabbbbccccddddeeeeffff0001">The bot's id.</param>
    /// <param name="format" example="mp3">The audio format. Default: `ogg` (Opus).</param>
    /// <param name="track" example="1">Only this track. Requires `Recording:TrackFiles`; the manifest lists the tracks.</param>
    /// <param name="partial" example="false">`true`: while the bot records, redirects to the recording so far.</param>
    /// <param name="chunks" example="17">While the bot records: only the first chunks, up to this number. This is the target of `partial=true`; the file never changes.</param>
    /// <response code="200">The file.</response>
    /// <response code="206">A range of the file.</response>
    /// <response code="302">Redirect to the recording so far; with `chunks`, to the whole recording once the bot has ended.</response>
    /// <response code="304">The file still matches `If-None-Match` or `If-Modified-Since`.</response>
    public static async Task<IResult> GetRecordingAsync(
        SessionId id, BotQueries queries, StorageLayout storage, RecordingConverter converter, PartialRecording partialRecording, IOptions<FinalizingOptions> finalizing,
        [AllowedValues("ogg", "mp3", "m4a", "wav", "flac")] string? format,
        [ParsedAs(typeof(int)), Range(0, StorageLayout.MaxTrack)] string? track,
        [ParsedAs(typeof(bool))] string? partial,
        [ParsedAs(typeof(int)), Range(1, MaxChunks)] string? chunks,
        HttpResponse response, CancellationToken cancellation)
    {
        if (AudioFormat.Find(format ?? AudioFormat.Ogg.Name) is not { } wanted)
            return ApiProblems.InvalidRequest("format", $"must be one of {string.Join(", ", AudioFormat.All.Select(known => known.Name))}");
        var number = 0;
        if (track is not null && !int.TryParse(track, NumberStyles.None, CultureInfo.InvariantCulture, out number))
            return ApiProblems.InvalidRequest("track", "must be the number of a track");
        if (partial is not (null or "true" or "false"))
            return ApiProblems.InvalidRequest("partial", "must be true or false");
        var closed = partial is "true" ? LatestChunk : 0;
        if (chunks is not null && (!int.TryParse(chunks, NumberStyles.None, CultureInfo.InvariantCulture, out closed) || closed is < 1 or > MaxChunks))
            return ApiProblems.InvalidRequest("chunks", $"must be a number from 1 to {MaxChunks}");
        if (await queries.LookUpAsync(id, response) is not { } bot)
            return BotProblems.NotFound();
        if (!bot.Status.IsTerminal())
            return wanted == AudioFormat.Ogg && track is null ? await GetPartialRecordingAsync(bot, partialRecording, closed, response, cancellation) : BotProblems.RecordingNotReady(bot);
        if (chunks is not null)
            return TypedResults.Redirect($"/bots/{id}/recording{QueryOf(("format", format), ("track", track))}");
        var path = storage.Recording(bot.UserId, id);
        if (bot.Recording is null || !File.Exists(path))
            return BotProblems.NoRecording(bot);
        if (track is not null)
        {
            path = storage.Track(bot.UserId, id, number);
            if (!File.Exists(path))
                return BotProblems.NoTrack(TracksOf(bot, storage));
        }

        if (wanted != AudioFormat.Ogg)
        {
            try
            {
                var length = TimeSpan.FromSeconds(bot.Recording.DurationSeconds);
                switch (await converter.ConvertAsync(path, length, wanted, finalizing.Value.ConversionTimeout, cancellation))
                {
                    case Conversion.Ready ready:
                        path = ready.Path;
                        break;
                    case Conversion.QueueFull full:
                        response.Headers.RetryAfter = QueueRetryAfterSeconds;
                        return BotProblems.ConversionQueueFull(full.Limit);
                    default:
                        response.Headers.RetryAfter = RetryAfterSeconds;
                        return BotProblems.BeingConverted(wanted.Name);
                }
            }
            catch (FileNotFoundException)
            {
                return BotProblems.NotFound();
            }
            catch (FailedEarlierException failed)
            {
                response.Headers.RetryAfter = Math.Ceiling(failed.Wait.TotalSeconds).ToString(CultureInfo.InvariantCulture);
                return BotProblems.NotConvertedAgain(wanted.Name, failed.Explanation, failed.Wait);
            }
            catch (Exception exception) when (exception is FinalizationException or FFmpegMissingException or IOException)
            {
                return BotProblems.NotConverted(wanted.Name, Failures.Explain(exception));
            }
        }

        return TypedResults.PhysicalFile(
            path, wanted.ContentType, DownloadName.Of(bot, wanted.Name, track is null ? null : number), new DateTimeOffset(File.GetLastWriteTimeUtc(path)), enableRangeProcessing: true);
    }

    /// <summary>Redirects to an address whose file never changes, so that a player can request ranges of it while the recording grows.</summary>
    private static async Task<IResult> GetPartialRecordingAsync(
        Bot bot, PartialRecording partialRecording, int chunks, HttpResponse response, CancellationToken cancellation)
    {
        try
        {
            if (chunks == LatestChunk && partialRecording.ClosedChunks(bot.UserId, bot.Id) is > 0 and var closed)
                return TypedResults.Redirect($"/bots/{bot.Id}/recording?chunks={closed}");
            if (chunks <= 0)
                return BotProblems.RecordingNotReady(bot);
            switch (await partialRecording.OpenAsync(bot, chunks, cancellation))
            {
                case PartialFile.Ready ready:
                    return TypedResults.File(ready.File, AudioFormat.Ogg.ContentType, entityTag: new($"\"{bot.Id}-{chunks}\""), enableRangeProcessing: true);
                case PartialFile.QueueFull full:
                    response.Headers.RetryAfter = RetryAfterSeconds;
                    return BotProblems.PartialQueueFull(full.Limit);
                default:
                    return BotProblems.RecordingNotReady(bot);
            }
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            // The chunks are being assembled into the final recording.
            return BotProblems.RecordingNotReady(bot);
        }
        catch (Exception exception) when (exception is FinalizationException or FFmpegMissingException or IOException)
        {
            return BotProblems.PartialNotAssembled(Failures.Explain(exception));
        }
    }

    /// <summary>Describes the Range header. File results read it themselves, so the handler has no parameter for it.</summary>
    private static Task AddRangeParameter(OpenApiOperation operation)
    {
        operation.Parameters!.Add(new OpenApiParameter
        {
            Name = "Range",
            In = ParameterLocation.Header,
            Description = "A range of the file (RFC 9110, 14.2).",
            Schema = new OpenApiSchema { Type = JsonSchemaType.String },
            Example = "bytes=0-1023",
        });
        return Task.CompletedTask;
    }

    private static QueryString QueryOf(params IEnumerable<(string Name, string? Value)> parameters) =>
        QueryString.Create(parameters.Where(parameter => parameter.Value is not null).Select(parameter => KeyValuePair.Create(parameter.Name, parameter.Value)));

    /// <summary>From the names of the files: a manifest can be long.</summary>
    private static IEnumerable<int> TracksOf(Bot bot, StorageLayout storage) =>
        from file in Directory.EnumerateFiles(storage.FinalFolder(bot.UserId), StorageLayout.TrackPattern(bot.Id))
        let name = Path.GetFileNameWithoutExtension(file)
        let mark = name.IndexOf(StorageLayout.TrackMark, StringComparison.Ordinal)
        let track = int.TryParse(name.AsSpan(mark + StorageLayout.TrackMark.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0
        where track > 0
        orderby track
        select track;

    /// <summary>Get the manifest</summary>
    /// <remarks>Describes the recording: chunks with hashes and wall-clock times, gaps, audible seconds, and speakers with their times.</remarks>
    /// <param name="id" example="0199aaaabbbbccccddddeeeeffff0001">The bot's id.</param>
    /// <response code="200">The manifest.</response>
    /// <response code="304">The file still matches `If-Modified-Since`.</response>
    public static async Task<IResult> GetManifestAsync(SessionId id, BotQueries queries, StorageLayout storage, HttpResponse response)
    {
        if (await queries.LookUpAsync(id, response) is not { } bot)
            return BotProblems.NotFound();
        if (!bot.Status.IsTerminal())
            return BotProblems.RecordingNotReady(bot);
        var path = storage.Manifest(bot.UserId, id);
        return File.Exists(path) ? TypedResults.PhysicalFile(path, "application/json") : BotProblems.NoRecording(bot);
    }
}
