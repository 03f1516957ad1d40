using ModelContextProtocol.AspNetCore;
using ModelContextProtocol.Protocol;

namespace NewarBots.Manager.Mcp;

/// <summary>
/// The Model Context Protocol at <c>/mcp</c> (streamable HTTP), for assistants. Callers authenticate as for the API. Without sessions, so that each
/// request may reach another manager.
/// </summary>
internal static class McpRegistration
{
    private const string Path = "/mcp";

    private const string Instructions =
        "NewarBots sends recording bots into online meetings and keeps one audio file for each. send_bot returns at once; look at the bot with get_bot until its "
        + "status is completed, failed or cancelled. Only send a bot into a meeting that the user has named.";

    public static IHostApplicationBuilder AddMcp(this IHostApplicationBuilder builder)
    {
        builder.Services
            .AddMcpServer(options =>
            {
                options.ServerInfo = new Implementation { Name = "NewarBots", Version = "v1" };
                options.ServerInstructions = Instructions;
            })
            .WithHttpTransport(options => options.SessionMode = HttpServerSessionMode.Stateless)
            .WithTools<BotTools>();
        return builder;
    }

    public static void MapMcp(this WebApplication app) => McpEndpointRouteBuilderExtensions.MapMcp(app, Path).ExcludeFromDescription();
}
