using NewarBots.Contract;
using NewarBots.Manager.Access;
using NewarBots.Manager.Bots.Storage;

namespace NewarBots.Manager.Bots;

internal static class BotOwnershipFilter
{
    /// <summary>
    /// Callers without access to a bot get the same 404 as for a missing bot, for every route in this group, which all have the bot's
    /// <c>id</c>. A bot never changes its user.
    /// </summary>
    public static TBuilder ForOwnBotsAlone<TBuilder>(this TBuilder builder) where TBuilder : IEndpointConventionBuilder =>
        builder.AddEndpointFilter(async (invocation, next) =>
        {
            var context = invocation.HttpContext;
            var caller = await Caller.BindAsync(context);
            if (caller.IsAdmin)
                return await next(invocation);
            var id = SessionId.Parse((string)context.Request.RouteValues["id"]!, provider: null);
            var (bot, _) = await context.RequestServices.GetRequiredService<BotQueries>().LookUpAsync(id);
            return bot is not null && caller.Reaches(bot.UserId) ? await next(invocation) : BotProblems.NotFound();
        });
}
