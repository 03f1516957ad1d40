using System.Net;
using NewarBots.Manager.Api;
using NewarBots.Manager.Bots;

namespace NewarBots.Manager.Containers;

/// <summary>Lets bots reach ports that listen on this machine's loopback only.</summary>
internal interface IPortForwarding
{
    /// <summary>The host name by which a container reaches the machine it runs on.</summary>
    const string HostName = "host.docker.internal";

    /// <summary>
    /// The source address of bots' connections to a meeting on this machine. It lets the manager, which serves the rehearsal, tell a bot
    /// from a local caller. All other connections come from 127.0.0.1, because Redis in protected mode accepts no other address.
    /// </summary>
    static IPAddress BotSource { get; } = IPAddress.Parse("127.0.0.2");

    /// <summary>
    /// Lets bots reach 127.0.0.1:<paramref name="port"/> as <see cref="HostName"/> until the manager ends. Idempotent. Does nothing if the
    /// engine runs on another machine.
    /// </summary>
    /// <param name="port">The same on both sides.</param>
    /// <param name="service">The service that listens there.</param>
    /// <param name="cancellation">Cancels the setup, not the forwarding.</param>
    /// <exception cref="ContainerEngineException">The engine's networks are unknown.</exception>
    Task EnsureAsync(int port, ForwardedService service, CancellationToken cancellation);

    /// <summary>Forwards ports that were taken by another process, such as another manager that has ended since.</summary>
    /// <exception cref="ContainerEngineException">The engine's networks are unknown.</exception>
    Task RetryTakenPortsAsync(CancellationToken cancellation);
}

/// <summary>The service on a forwarded port.</summary>
internal enum ForwardedService
{
    /// <summary>Without limits, except for the number of connections.</summary>
    Other,

    /// <summary>Connections come from <see cref="IPortForwarding.BotSource"/>.</summary>
    Meeting,

    /// <summary>Commands are checked and limited. Not for an encrypted Redis, whose commands cannot be read.</summary>
    Redis,
}

internal static class PortForwardingRequests
{
    /// <summary>Whether the request comes from a bot's container through <see cref="IPortForwarding"/>.</summary>
    public static bool IsForwarded(this HttpContext context) =>
        context.Connection.RemoteIpAddress is { } address
        && (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).Equals(IPortForwarding.BotSource);

    /// <summary>Bots reach the manager too, because it is on the loopback. This serves them the rehearsal meeting and hides the API.</summary>
    public static WebApplication UseForwardedRequestLimit(this WebApplication app)
    {
        app.Use((context, next) =>
            context.IsForwarded() && !context.Request.Path.StartsWithSegments(RehearsalOptions.Path, StringComparison.Ordinal)
                ? ApiProblems.NoSuchCall().ExecuteAsync(context)
                : next(context));
        return app;
    }
}
