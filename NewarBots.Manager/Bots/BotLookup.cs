using NewarBots.Contract;
using NewarBots.Manager.Access;
using NewarBots.Manager.Api.OpenApi;
using NewarBots.Manager.Bots.Storage;

namespace NewarBots.Manager.Bots;

/// <summary>Finds the bot of a request and checks that the caller may access it.</summary>
internal static class BotLookup
{
    /// <summary>RFC 7234, 5.5.1.</summary>
    public const string StaleWarning = "110 - \"Response is Stale\"";

    /// <summary>If Redis is unavailable, returns the manager's last known state and sets the Warning header.</summary>
    public static async Task<Bot?> LookUpAsync(this BotQueries queries, SessionId id, HttpResponse response)
    {
        var (bot, isStale) = await queries.LookUpAsync(id);
        if (isStale)
            response.Headers.Warning = StaleWarning;
        return bot;
    }

    /// <summary>Describes the header that <see cref="LookUpAsync"/> sets.</summary>
    public static RouteHandlerBuilder WithStaleWarning(this RouteHandlerBuilder endpoint) => endpoint.WithResponseHeader(
        StatusCodes.Status200OK, "Warning", "`110`: Redis is unavailable, and this is the manager's last known state.");

    /// <summary>
    /// In all endpoints of the group, another user's bot is not found, as if it did not exist. A cached record is enough for this check, because a
    /// bot's user never changes.
    /// </summary>
    public static TBuilder RequireOwnBot<TBuilder>(this TBuilder builder) where TBuilder : IEndpointConventionBuilder =>
        builder.AddEndpointFilter(async (invocation, next) =>
        {
            var context = invocation.HttpContext;
            var caller = await Caller.BindAsync(context);
            if (caller.IsAdmin)
                return await next(invocation);
            var id = SessionId.Parse((string)context.Request.RouteValues["id"]!, provider: null);
            var (bot, _) = await context.RequestServices.GetRequiredService<BotQueries>().LookUpAsync(id);
            return bot is not null && caller.CanReach(bot.UserId) ? await next(invocation) : BotProblems.NotFound();
        });
}
