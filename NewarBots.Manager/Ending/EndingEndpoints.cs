using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Api;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Recordings;
using JsonOptions = Microsoft.AspNetCore.Http.Json.JsonOptions;

namespace NewarBots.Manager.Ending;

/// <summary>Endpoints for the log and the evidence of a bot, and for deleting a bot with all its data.</summary>
internal static class EndingEndpoints
{
    private const string LogType = "text/plain; charset=utf-8";

    public static IEndpointRouteBuilder MapEnding(this IEndpointRouteBuilder routes)
    {
        var bot = routes.MapBotGroup();
        bot.MapDelete("", DeleteAsync).WithName("DeleteBot");
        bot.MapGet("/logs", GetLogAsync).WithName("GetBotLog");
        bot.MapGet("/evidence", GetEvidenceAsync).WithName("GetEvidence");
        return routes;
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> DeleteAsync(
        SessionId id, BotQueries queries, BotRemover remover, CancellationToken cancellation)
    {
        if (await queries.FindAsync(id) is not { } bot)
            return BotProblems.NotFound();
        if (!bot.Status.IsTerminal())
            return BotProblems.StillActive(bot);
        await remover.DeleteAsync(bot, cancellation);
        return TypedResults.NoContent();
    }

    private static async Task<IResult> GetLogAsync(
        SessionId id, string? follow, BotQueries queries, BotLog log, IHostApplicationLifetime lifetime, HttpResponse response, CancellationToken cancellation)
    {
        if (follow is not (null or "true" or "false"))
            return ApiProblems.InvalidRequest("follow", "must be true or false");
        if (await queries.LookUpAsync(id, response) is not { } bot)
            return BotProblems.NotFound();
        if (follow is not "true")
            return TypedResults.Text(await log.ReadAsync(bot, cancellation), LogType);

        await log.EnsureReadableAsync(bot, cancellation);
        response.ContentType = LogType;
        response.Headers["X-Accel-Buffering"] = "no";
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellation, lifetime.ApplicationStopping);
        try
        {
            await response.Body.FlushAsync(end.Token);
            await log.FollowAsync(bot, response.Body, end.Token);
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // The client disconnected, or the manager is stopping.
        }
        catch (ContainerEngineException exception)
        {
            await response.WriteAsync(BotLog.EndedBy(exception), cancellation);
        }

        return TypedResults.Empty;
    }

    /// <summary>A zip of what is known about a failure: page, console, connections, log.</summary>
    private static async Task<IResult> GetEvidenceAsync(
        SessionId id, BotQueries queries, BotLog log, EvidenceFolder evidence, IOptions<JsonOptions> json, CancellationToken cancellation)
    {
        if (await queries.FindAsync(id) is not { } bot)
            return BotProblems.NotFound();
        if (!bot.Status.IsTerminal())
            return BotProblems.EvidenceNotReady(bot);
        var description = JsonSerializer.SerializeToUtf8Bytes(BotResponse.Of(bot), json.Value.SerializerOptions);
        return evidence.Pack(bot, description, await log.ReadAsync(bot, cancellation)) is { } zip
            ? TypedResults.File(zip, "application/zip", $"{id}.evidence.zip")
            : BotProblems.NoEvidence(bot);
    }
}
