using Microsoft.Extensions.DependencyInjection;
using NewarBots.AppHost.Bots;

namespace NewarBots.AppHost;

internal static class ManagerExtensions
{
    private const string Endpoint = "http";

    /// <param name="manager">The manager.</param>
    /// <param name="text">The link's text in the dashboard.</param>
    /// <param name="path">Relative to the manager's address.</param>
    public static IResourceBuilder<ProjectResource> WithLink(this IResourceBuilder<ProjectResource> manager, string text, string path) =>
        manager.WithUrlForEndpoint(Endpoint, _ => new ResourceUrlAnnotation { Url = path, DisplayText = text });

    /// <summary>Checks the manager's <c>/health</c> and shows its reasons. Aspire's HTTP health check shows only the status code.</summary>
    public static IResourceBuilder<ProjectResource> WithManagerHealthCheck(this IResourceBuilder<ProjectResource> manager)
    {
        var name = $"{manager.Resource.Name}-health";
        manager.ApplicationBuilder.Services.AddHealthChecks().AddAsyncCheck(name, manager.Api().CheckHealthAsync);
        return manager.WithHealthCheck(name);
    }

    /// <summary>Passes each host of the comma-separated parameter as a separate setting.</summary>
    public static IResourceBuilder<ProjectResource> WithAllowedMeetingHosts(
        this IResourceBuilder<ProjectResource> manager, IResourceBuilder<ParameterResource> hosts) =>
        manager.WithEnvironment(async context =>
        {
            var list = await hosts.Resource.GetValueAsync(context.CancellationToken) ?? string.Empty;
            foreach (var (index, host) in ManagerSettings.HostsIn(list).Index())
                context.EnvironmentVariables[$"Meetings__AllowedHosts__{index}"] = host;
        });

    /// <summary>
    /// Shows the manager's bots as child resources with state, log and stop command. Adds commands that record a rehearsal and stop all bots.
    /// </summary>
    public static IResourceBuilder<ProjectResource> WithBotsAsChildren(this IResourceBuilder<ProjectResource> manager)
    {
        var builder = manager.ApplicationBuilder;
        if (!builder.ExecutionContext.IsRunMode)
            return manager;

        var api = manager.Api();
        builder.Services.AddSingleton(api);
        builder.Services.AddSingleton(manager.Resource);
        builder.Services.AddSingleton<BotLogs>();
        builder.Services.AddSingleton<BotResources>();
        builder.Services.AddHostedService<BotResourcePoller>();
        return manager
            // Polling sends unsampled trace parents, so the manager must follow the caller's sampling decision.
            .WithEnvironment("OTEL_TRACES_SAMPLER", "parentbased_always_on")
            .WithCommand(
                "record-rehearsal",
                "Record a rehearsal",
                async context => CommandResults.Success($"{await api.RecordRehearsalAsync(context.CancellationToken)} is on its way."),
                new CommandOptions
                {
                    Description = "Sends a bot into a stand-in meeting with three speakers, which lasts 40 seconds.",
                    IconName = "Record",
                    IsHighlighted = true,
                    UpdateState = WhileRunning,
                })
            .WithCommand(
                "stop-all-bots",
                "Stop all bots",
                async context => CommandResults.Success($"Bots leaving now: {await api.StopAllAsync(context.CancellationToken)}."),
                new CommandOptions
                {
                    Description = "All bots leave their meetings and keep their recordings. Scheduled bots stay scheduled.",
                    ConfirmationMessage = "All bots leave their meetings now and keep their recordings. Stop all bots?",
                    IconName = "RecordStop",
                    UpdateState = WhileRunning,
                });
    }

    private static ManagerApi Api(this IResourceBuilder<ProjectResource> manager) =>
        new(manager.GetEndpoint(Endpoint), manager.ApplicationBuilder.Configuration[ManagerSettings.ManagerKey]);

    private static ResourceCommandState WhileRunning(UpdateCommandStateContext context) =>
        context.ResourceSnapshot.State?.Text == KnownResourceStates.Running ? ResourceCommandState.Enabled : ResourceCommandState.Disabled;
}
