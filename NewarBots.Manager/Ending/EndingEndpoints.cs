using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Access;
using NewarBots.Manager.Api;
using NewarBots.Manager.Api.OpenApi;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Hosting;
using NewarBots.Manager.Recordings;
using JsonOptions = Microsoft.AspNetCore.Http.Json.JsonOptions;

namespace NewarBots.Manager.Ending;

/// <summary>A bot's log and evidence, and the deletion of all its data.</summary>
internal static class EndingEndpoints
{
    private const string LogType = "text/plain; charset=utf-8";

    public static IEndpointRouteBuilder MapEnding(this IEndpointRouteBuilder routes)
    {
        var bot = routes.MapBotGroup();
        bot.MapDelete("", DeleteAsync).WithName("DeleteBot").WithProblems(
            ProblemTypes.BotNotFound, ProblemTypes.NoSuchCall, ProblemTypes.BotActive, ProblemTypes.EngineUnavailable);
        bot.MapPost("/finalize", FinalizeAsync).WithName("FinalizeBot").WithProblems(
            ProblemTypes.BotNotFound, ProblemTypes.NoSuchCall, ProblemTypes.NothingToFinalize);
        bot.MapGet("/logs", GetLogAsync).WithName("GetBotLog").WithStaleWarning().Produces<string>(StatusCodes.Status200OK, "text/plain").WithProblems(
            ProblemTypes.InvalidRequest, ProblemTypes.BotNotFound, ProblemTypes.NoSuchCall, ProblemTypes.TooManyStreams, ProblemTypes.EngineUnavailable,
            ProblemTypes.StreamsFull);
        bot.MapGet("/evidence", GetEvidenceAsync).WithName("GetEvidence").Produces<Stream>(StatusCodes.Status200OK, "application/zip").WithProblems(
            ProblemTypes.BotNotFound, ProblemTypes.NoSuchCall, ProblemTypes.NoEvidence, ProblemTypes.EvidenceNotReady, ProblemTypes.TooManyStreams,
            ProblemTypes.EngineUnavailable, ProblemTypes.StreamsFull);
        return routes;
    }

    /// <summary>Delete a bot</summary>
    /// <remarks>
    /// Permanently deletes the recording, chunks, log, evidence and record of an ended bot, or of one that stays in `finalizing` although its recorder
    /// has exited. A scheduled bot is cancelled and deleted.
    /// </remarks>
    /// <param name="id" example="0199aaaabbbbccccddddeeeeffff0001">The bot's id.</param>
    /// <response code="204">Everything is deleted.</response>
    public static async Task<Results<NoContent, ProblemHttpResult>> DeleteAsync(
        SessionId id, BotQueries queries, BotDeletion deletion, CancellationToken cancellation)
    {
        if (await queries.FindAsync(id) is not { } bot)
            return BotProblems.NotFound();
        return await deletion.DeleteAsync(bot, cancellation) switch
        {
            DeletionResult.Deleted => TypedResults.NoContent(),
            DeletionResult.Busy => BotProblems.BeingEnded(bot),
            _ => BotProblems.StillActive(bot),
        };
    }

    /// <summary>Finalize a bot again</summary>
    /// <remarks>
    /// For a bot that ended with `finalization_failed`, for example after FFmpeg was repaired: assembles its chunks once more, also those that were kept
    /// because the bot was over its limits. The same limits apply again. Until the result is known, the bot is `finalizing`. It does not count as active and
    /// does not occupy its meeting.
    /// </remarks>
    /// <param name="id" example="0199aaaabbbbccccddddeeeeffff0001">The bot's id.</param>
    /// <response code="202">The bot is being finalized.</response>
    public static async Task<Results<Accepted<BotResponse>, ProblemHttpResult>> FinalizeAsync(
        SessionId id, BotQueries queries, BotCommands commands, SessionFolders folders, StorageLayout storage, RetryBackoff backoff, BotFinisher finisher,
        TimeProvider time)
    {
        if (await queries.FindAsync(id) is not { } bot)
            return BotProblems.NotFound();
        if (!bot.Status.IsTerminal())
            return BotProblems.NothingToFinalize(bot, "It is finalized once its recorder has ended.");
        if (!bot.CanBeFinalizedAgain)
            return BotProblems.NothingToFinalize(bot, "It did not end with finalization_failed.");
        if (!folders.Exists(bot.UserId, id) && !Directory.Exists(storage.Damaged(bot.UserId, id)))
            return BotProblems.NothingToFinalize(bot, "Its chunks no longer exist.");
        if (await commands.UpdateAsync(id, known => BotLifecycle.FinalizationRequested(known, time.GetUtcNow())) is not { } requested)
            return BotProblems.NotFound();
        backoff.Forget(id);
        finisher.Enqueue(id);
        return BotEndpoints.Accepted(requested);
    }

    /// <summary>Get a bot's log</summary>
    /// <remarks>
    /// The output of the bot's container, up to 16 MB. It remains available after the container is removed. Control characters, such as a terminal's
    /// escape sequences, are replaced by visible ones.
    /// </remarks>
    /// <param name="id" example="0199aaaabbbbccccddddeeeeffff0001">The bot's id.</param>
    /// <param name="follow" example="false">`true`: streams new output until the container ends, and waits for a container that has not started yet.</param>
    /// <response code="200">The log.</response>
    public static async Task<IResult> GetLogAsync(
        SessionId id, [ParsedAs(typeof(bool))] string? follow, BotQueries queries, BotLog log, StreamLimits limits, IHostApplicationLifetime lifetime,
        HttpResponse response, CancellationToken cancellation)
    {
        if (follow is not (null or "true" or "false"))
            return ApiProblems.InvalidRequest("follow", "must be true or false");
        if (await queries.LookUpAsync(id, response) is not { } bot)
            return BotProblems.NotFound();
        if (await limits.EnterAsync(follow is "true" ? StreamKind.FollowedLog : StreamKind.Download, response.HttpContext) is { } rejected)
            return rejected;
        if (follow is not "true")
        {
            await using var soFar = await log.OpenAsync(bot, cancellation);
            response.ContentType = LogType;
            await BotLog.CopyAsync(soFar, response.Body, cancellation);
            return TypedResults.Empty;
        }

        await log.EnsureReadableAsync(bot, cancellation);
        response.ContentType = LogType;
        response.Headers["X-Accel-Buffering"] = "no";
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellation, lifetime.ApplicationStopping);
        try
        {
            await response.Body.FlushAsync(end.Token);
            var text = new PlainTextStream(response.Body);
            await log.FollowAsync(bot, text, end.Token);
            await text.CompleteAsync(end.Token);
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // The client has disconnected, or the manager is stopping.
        }
        catch (ContainerEngineException exception)
        {
            await response.WriteAsync(BotLog.EndedBy(exception), cancellation);
        }

        return TypedResults.Empty;
    }

    /// <summary>Get the evidence of a failure</summary>
    /// <remarks>A zip with screenshot, page source, console, the state recognized on the page, WebRTC statistics and the log.</remarks>
    /// <param name="id" example="0199aaaabbbbccccddddeeeeffff0001">The bot's id.</param>
    /// <response code="200">The zip.</response>
    public static async Task<IResult> GetEvidenceAsync(
        SessionId id, BotQueries queries, BotLog log, EvidenceFolder evidence, StreamLimits limits, IOptions<JsonOptions> json, HttpContext context)
    {
        if (await queries.FindAsync(id) is not { } bot)
            return BotProblems.NotFound();
        if (!bot.Status.IsTerminal())
            return BotProblems.EvidenceNotReady(bot);
        if (!evidence.HasAny(bot))
            return BotProblems.NoEvidence(bot);
        if (await limits.EnterAsync(StreamKind.Download, context) is { } rejected)
            return rejected;
        var cancellation = context.RequestAborted;
        var kept = await log.OpenAsync(bot, cancellation);
        context.Response.RegisterForDisposeAsync(kept);
        var description = JsonSerializer.SerializeToUtf8Bytes(BotResponse.Of(bot), json.Value.SerializerOptions);
        return TypedResults.Stream(
            zip => evidence.PackAsync(bot, description, (entry, token) => BotLog.CopyAsync(kept, entry, token), zip, cancellation),
            "application/zip", $"{id}.evidence.zip");
    }
}
