#pragma warning disable ASPIRECERTIFICATES001 // WithoutHttpsCertificate is marked experimental.

using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using NewarBots.AppHost.Bots;

namespace NewarBots.AppHost;

internal static class ManagerExtensions
{
    private const string Endpoint = "http";

    private const string OtlpEndpointKey = "OTEL_EXPORTER_OTLP_ENDPOINT";

    /// <param name="manager">The manager.</param>
    /// <param name="text">The link's text in the dashboard.</param>
    /// <param name="path">Relative to the manager's address.</param>
    public static IResourceBuilder<ProjectResource> WithLink(this IResourceBuilder<ProjectResource> manager, string text, string path) =>
        manager.WithUrlForEndpoint(Endpoint, _ => new ResourceUrlAnnotation { Url = path, DisplayText = text });

    /// <summary>Makes the manager listen on the user's addresses. It is not proxied, because it forwards its own port to its recorders.</summary>
    public static IResourceBuilder<ProjectResource> WithAddresses(this IResourceBuilder<ProjectResource> manager, Addresses addresses)
    {
        manager
            .WithEndpoint(Endpoint, endpoint => endpoint.IsProxied = false)
            .WithExternalHttpEndpoints()
            // It serves plain HTTP. Without this, Aspire warns that no development certificate is trusted.
            .WithoutHttpsCertificate();
        return addresses.ManagerUrls is not { } urls
            ? manager
            : manager
                .WithEnvironment(Addresses.ManagerUrlsKey, urls)
                .WithEndpoint(Endpoint, endpoint =>
                {
                    endpoint.Port = endpoint.TargetPort = addresses.Manager.Port;
                    endpoint.TargetHost = addresses.Manager.Host;
                });
    }

    /// <summary>
    /// Sends telemetry to the user's endpoint (<c>OTEL_EXPORTER_OTLP_ENDPOINT</c>) if it is set, else to the dashboard.
    /// </summary>
    public static IResourceBuilder<ProjectResource> WithTelemetry(this IResourceBuilder<ProjectResource> manager, BindingAddress dashboard) =>
        manager.WithEnvironment(context =>
        {
            if (!context.ExecutionContext.IsRunMode)
                return;
            // Aspire samples everything. The parts of an untraced request must stay untraced.
            context.EnvironmentVariables["OTEL_TRACES_SAMPLER"] = "parentbased_always_on";
            var configuration = manager.ApplicationBuilder.Configuration;
            // The dashboard may end before the manager, which would wait ten seconds for it.
            context.EnvironmentVariables["OTEL_EXPORTER_OTLP_TIMEOUT"] = configuration["OTEL_EXPORTER_OTLP_TIMEOUT"] ?? "2000";
            if (string.IsNullOrWhiteSpace(configuration[OtlpEndpointKey]))
            {
                context.EnvironmentVariables["Telemetry__Dashboard"] = dashboard.ToString();
                return;
            }

            foreach (var key in new[] { OtlpEndpointKey, "OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_HEADERS" })
            {
                if (configuration[key] is { } value)
                    context.EnvironmentVariables[key] = value;
                else
                    context.EnvironmentVariables.Remove(key);
            }
        });

    /// <summary>Checks the manager's <c>/health</c> and shows its reasons. Aspire's HTTP health check shows only the status code.</summary>
    public static IResourceBuilder<ProjectResource> WithManagerHealthCheck(this IResourceBuilder<ProjectResource> manager, string key)
    {
        var name = $"{manager.Resource.Name}-health";
        manager.ApplicationBuilder.Services.AddHealthChecks().AddAsyncCheck(name, manager.Api(key).CheckHealthAsync);
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
    public static IResourceBuilder<ProjectResource> WithBotsAsChildren(this IResourceBuilder<ProjectResource> manager, string key)
    {
        var builder = manager.ApplicationBuilder;
        if (!builder.ExecutionContext.IsRunMode)
            return manager;

        var api = manager.Api(key);
        builder.Services.AddSingleton(api);
        builder.Services.AddSingleton(manager.Resource);
        builder.Services.AddSingleton<BotLogs>();
        builder.Services.AddSingleton<BotResources>();
        builder.Services.AddHostedService<BotResourcePoller>();
        return manager
            .WithCommand(
                "record-rehearsal",
                "Record a rehearsal",
                context => CommandAnswer.OfAsync(async () => $"{await api.RecordRehearsalAsync(context.CancellationToken)} is joining a rehearsal. It ends in about a minute."),
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
                context => CommandAnswer.OfAsync(async () => $"Bots leaving now: {await api.StopAllAsync(context.CancellationToken)}."),
                new CommandOptions
                {
                    Description = "All bots leave their meetings and keep their recordings. Scheduled bots stay scheduled.",
                    ConfirmationMessage = "All bots leave their meetings now and keep their recordings. Stop all bots?",
                    IconName = "RecordStop",
                    UpdateState = WhileRunning,
                });
    }

    /// <summary>Reports on the console what a start waits for, its end, and failures.</summary>
    public static IResourceBuilder<ProjectResource> WithStartReport(this IResourceBuilder<ProjectResource> manager)
    {
        var builder = manager.ApplicationBuilder;
        if (builder.ExecutionContext.IsRunMode)
        {
            // A report that fails is logged. It must not stop the AppHost, and the manager with it.
            builder.Services.Configure<HostOptions>(options => options.BackgroundServiceExceptionBehavior = BackgroundServiceExceptionBehavior.Ignore);
            builder.Services.AddSingleton<ResourceLogs>();
            builder.Services.AddHostedService<StartWatch>();
            builder.Services.AddHostedService<StartReport>();
        }
        return manager;
    }

    /// <summary>One client for each manager.</summary>
    private static ManagerApi Api(this IResourceBuilder<ProjectResource> manager, string key)
    {
        if (!manager.Resource.TryGetLastAnnotation<ManagerApi>(out var api))
            manager.WithAnnotation(api = new(manager.GetEndpoint(Endpoint), key));
        return api;
    }

    private static ResourceCommandState WhileRunning(UpdateCommandStateContext context) =>
        context.ResourceSnapshot.State?.Text == KnownResourceStates.Running ? ResourceCommandState.Enabled : ResourceCommandState.Disabled;
}
