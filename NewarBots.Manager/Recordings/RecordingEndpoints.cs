using System.Globalization;
using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Api;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Storage;

namespace NewarBots.Manager.Recordings;

/// <summary>The recording of a bot and its manifest.</summary>
internal static class RecordingEndpoints
{
    private const string ConversionRetryAfterSeconds = "10";

    /// <summary>The file names of chunks have five digits.</summary>
    private const int MaxChunks = 99_999;

    private const int AsManyAsThereAre = -1;

    public static IEndpointRouteBuilder MapRecordings(this IEndpointRouteBuilder routes)
    {
        var bot = routes.MapBotGroup();
        bot.MapGet("/recording", GetRecordingAsync).WithName("GetRecording");
        bot.MapMethods("/recording", [HttpMethods.Head], GetRecordingAsync).ExcludeFromDescription();
        bot.MapGet("/manifest", GetManifestAsync).WithName("GetManifest");
        return routes;
    }

    private static async Task<IResult> GetRecordingAsync(
        SessionId id, BotQueries queries, StorageLayout storage, RecordingConverter converter, PartialRecording soFar, IOptions<FinalizingOptions> finalizing,
        string? format, string? track, string? partial, string? chunks,
        HttpResponse response, CancellationToken cancellation)
    {
        if (AudioFormat.Find(format ?? AudioFormat.Ogg.Name) is not { } wanted)
            return ApiProblems.InvalidRequest("format", $"must be one of {string.Join(", ", AudioFormat.All.Select(known => known.Name))}");
        var number = 0;
        if (track is not null && !int.TryParse(track, NumberStyles.None, CultureInfo.InvariantCulture, out number))
            return ApiProblems.InvalidRequest("track", "must be the number of a track");
        if (partial is not (null or "true" or "false"))
            return ApiProblems.InvalidRequest("partial", "must be true or false");
        var closed = partial is "true" ? AsManyAsThereAre : 0;
        if (chunks is not null && (!int.TryParse(chunks, NumberStyles.None, CultureInfo.InvariantCulture, out closed) || closed is < 1 or > MaxChunks))
            return ApiProblems.InvalidRequest("chunks", $"must be a number from 1 to {MaxChunks}");
        if (await queries.LookUpAsync(id, response) is not { } bot)
            return BotProblems.NotFound();
        if (!bot.Status.IsTerminal())
            return wanted == AudioFormat.Ogg && track is null ? await GetRecordingSoFarAsync(bot, soFar, closed, cancellation) : BotProblems.RecordingNotReady(bot);
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
                if (await converter.ConvertAsync(path, length, wanted, finalizing.Value.ConversionPatience, cancellation) is not { } converted)
                {
                    response.Headers.RetryAfter = ConversionRetryAfterSeconds;
                    return BotProblems.BeingConverted(wanted.Name);
                }

                path = converted;
            }
            catch (FileNotFoundException)
            {
                return BotProblems.NotFound();
            }
            catch (Exception exception) when (exception is FinalizationException or FFmpegMissingException or IOException)
            {
                return BotProblems.NotConverted(wanted.Name, exception.Message);
            }
        }

        return TypedResults.PhysicalFile(
            path, wanted.ContentType, Path.GetFileName(path), new DateTimeOffset(File.GetLastWriteTimeUtc(path)), enableRangeProcessing: true);
    }

    /// <summary>
    /// Sends to what there is so far, under an address of its own: what lies there never changes, so that a player may take it in
    /// parts while the recording grows.
    /// </summary>
    private static async Task<IResult> GetRecordingSoFarAsync(Bot bot, PartialRecording soFar, int chunks, CancellationToken cancellation)
    {
        if (chunks == AsManyAsThereAre && soFar.ClosedChunks(bot.UserId, bot.Id) is > 0 and var closed)
            return TypedResults.Redirect($"/bots/{bot.Id}/recording?chunks={closed}");
        try
        {
            return chunks > 0 && await soFar.OpenAsync(bot.UserId, bot.Id, chunks, cancellation) is { } file
                ? TypedResults.File(file, AudioFormat.Ogg.ContentType, entityTag: new($"\"{bot.Id}-{chunks}\""), enableRangeProcessing: true)
                : BotProblems.RecordingNotReady(bot);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            // It is just becoming the finished recording.
            return BotProblems.RecordingNotReady(bot);
        }
        catch (Exception exception) when (exception is FinalizationException or FFmpegMissingException or IOException)
        {
            return BotProblems.NotMadeSoFar(exception.Message);
        }
    }

    private static QueryString QueryOf(params IEnumerable<(string Name, string? Value)> parameters) =>
        QueryString.Create(parameters.Where(parameter => parameter.Value is not null).Select(parameter => KeyValuePair.Create(parameter.Name, parameter.Value)));

    private static IEnumerable<int> TracksOf(Bot bot, StorageLayout storage) =>
        RecordingManifest.TryRead(storage.Manifest(bot.UserId, bot.Id))?.Tracks.Where(track => track.File is not null).Select(track => track.Track) ?? [];

    private static async Task<IResult> GetManifestAsync(SessionId id, BotQueries queries, StorageLayout storage, HttpResponse response)
    {
        if (await queries.LookUpAsync(id, response) is not { } bot)
            return BotProblems.NotFound();
        if (!bot.Status.IsTerminal())
            return BotProblems.RecordingNotReady(bot);
        var path = storage.Manifest(bot.UserId, id);
        return File.Exists(path) ? TypedResults.PhysicalFile(path, "application/json") : BotProblems.NoRecording(bot);
    }
}
