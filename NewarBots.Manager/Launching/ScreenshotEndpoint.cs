using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;
using NewarBots.Contract;
using NewarBots.Manager.Access;
using NewarBots.Manager.Api;
using NewarBots.Manager.Api.OpenApi;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Storage;

namespace NewarBots.Manager.Launching;

/// <summary><c>GET /bots/{id}/screenshot</c>.</summary>
internal static class ScreenshotEndpoint
{
    private const string RetryAfterSeconds = "5";

    public static IEndpointRouteBuilder MapScreenshot(this IEndpointRouteBuilder routes)
    {
        routes.MapBotGroup().MapGet("/screenshot", GetAsync).WithName("GetScreenshot")
            .Produces<Stream>(StatusCodes.Status200OK, "image/jpeg", "image/png")
            .WithProblems(
                ProblemTypes.BotNotFound, ProblemTypes.NoSuchCall, ProblemTypes.NoPage, ProblemTypes.TooManyStreams, ProblemTypes.ScreenshotUnavailable,
                ProblemTypes.StreamsFull);
        return routes;
    }

    /// <summary>See what a bot sees</summary>
    /// <remarks>A picture of the page that the bot visits now, at most 4 MB and a few seconds old. For a bot that has ended, see its evidence.</remarks>
    /// <param name="id" example="0199aaaabbbbccccddddeeeeffff0001">The bot's id.</param>
    /// <response code="200">The picture, a JPEG or a PNG.</response>
    public static async Task<Results<FileContentHttpResult, ProblemHttpResult>> GetAsync(
        SessionId id, BotQueries queries, BotScreenshots screenshots, StreamLimits limits, HttpContext context)
    {
        if (await queries.FindAsync(id) is not { } bot)
            return BotProblems.NotFound();
        if (bot.Status is < BotStatus.Joining or > BotStatus.Leaving)
            return BotProblems.NoPage(bot);
        if (await limits.EnterAsync(StreamKind.Download, context) is { } rejected)
            return rejected;
        if (await screenshots.TakeAsync(bot, context.RequestAborted) is { } picture)
        {
            context.Response.Headers[HeaderNames.CacheControl] = "no-store";
            return TypedResults.Bytes(picture.Content, picture.ContentType);
        }

        context.Response.Headers.RetryAfter = RetryAfterSeconds;
        return BotProblems.ScreenshotUnavailable();
    }
}
