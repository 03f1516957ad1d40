using NewarBots.Manager.Api;
using NewarBots.Manager.Bots;

namespace NewarBots.Manager.Containers.Docker;

internal static class RelayedRequest
{
    /// <summary>
    /// Whether a request came through the <see cref="LoopbackRelay"/>, and so from a bot's container rather than from this machine.
    /// </summary>
    public static bool IsRelayed(this HttpContext context) =>
        context.Connection.RemoteIpAddress is { } address
        && (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).Equals(LoopbackRelay.Source);

    /// <summary>
    /// A bot's container reaches this machine's loopback by the relay, and the manager with it. It is shown the meeting that it
    /// came for, and nothing of the API.
    /// </summary>
    public static WebApplication UseRelayedRequestLimit(this WebApplication app)
    {
        app.Use((context, next) =>
            context.IsRelayed() && !context.Request.Path.StartsWithSegments(RehearsalOptions.Path, StringComparison.Ordinal)
                ? ApiProblems.NoSuchCall().ExecuteAsync(context)
                : next(context));
        return app;
    }
}
