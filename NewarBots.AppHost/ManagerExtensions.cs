using Microsoft.Extensions.DependencyInjection;
using NewarBots.AppHost.Bots;

namespace NewarBots.AppHost;

internal static class ManagerExtensions
{
    private const string Endpoint = "http";

    /// <param name="manager">Whose.</param>
    /// <param name="text">What the dashboard shows.</param>
    /// <param name="path">Where it leads, relative to the manager.</param>
    public static IResourceBuilder<ProjectResource> WithLink(this IResourceBuilder<ProjectResource> manager, string text, string path) =>
        manager.WithUrlForEndpoint(Endpoint, _ => new ResourceUrlAnnotation { Url = path, DisplayText = text });

    /// <summary>The manager's own <c>/health</c>, with its reasons: Aspire's check of an address would know the status code alone.</summary>
    public static IResourceBuilder<ProjectResource> WithOwnHealthCheck(this IResourceBuilder<ProjectResource> manager)
    {
        var name = $"{manager.Resource.Name}-health";
        manager.ApplicationBuilder.Services.AddHealthChecks().AddAsyncCheck(name, manager.Api().CheckHealthAsync);
        return manager.WithHealthCheck(name);
    }

    /// <summary>A list in one parameter becomes a setting each.</summary>
    public static IResourceBuilder<ProjectResource> WithAllowedMeetingHosts(
        this IResourceBuilder<ProjectResource> manager, IResourceBuilder<ParameterResource> hosts) =>
        manager.WithEnvironment(async context =>
        {
            var list = await hosts.Resource.GetValueAsync(context.CancellationToken) ?? string.Empty;
            foreach (var (index, host) in ManagerSettings.HostsIn(list).Index())
                context.EnvironmentVariables[$"Meetings__AllowedHosts__{index}"] = host;
        });

    /// <summary>
    /// Shows the manager's bots beneath it, as resources that change state, have a log and can be stopped; and lets one be sent into a
    /// rehearsal, and all be stopped at once.
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
        builder.Services.AddHostedService<BotsOnDashboard>();
        return manager
            // A look every other second is no trace worth keeping: the manager heeds a caller that does not record its own.
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
                async context => CommandResults.Success($"Bots that leave now: {await api.StopAllAsync(context.CancellationToken)}."),
                new CommandOptions
                {
                    Description = "Every bot leaves its meeting and keeps what it has recorded; scheduled ones stay scheduled.",
                    ConfirmationMessage = "Every bot leaves its meeting now. What was recorded is kept. Stop them all?",
                    IconName = "RecordStop",
                    UpdateState = WhileRunning,
                });
    }

    private static ManagerApi Api(this IResourceBuilder<ProjectResource> manager) =>
        new(manager.GetEndpoint(Endpoint), manager.ApplicationBuilder.Configuration[ManagerSettings.ManagerKey]);

    private static ResourceCommandState WhileRunning(UpdateCommandStateContext context) =>
        context.ResourceSnapshot.State?.Text == KnownResourceStates.Running ? ResourceCommandState.Enabled : ResourceCommandState.Disabled;
}
