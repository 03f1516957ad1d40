using NewarBots.Contract;
using NewarBots.Manager.Access;
using NewarBots.Manager.Bots.Storage;

namespace NewarBots.Manager.Bots;

internal static class BotOwnershipFilter
{
    /// <summary>
    /// Whoever asks for another's bot is told what they are told of one that there is not, for every call in this group, whose
    /// addresses have the bot's <c>id</c>. A bot never changes its user.
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
