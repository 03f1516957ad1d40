using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace NewarBots.ServiceDefaults;

/// <summary>What both services do alike: telemetry, health checks, service discovery, resilient HTTP.</summary>
public static class Extensions
{
    private const string LiveTag = "live";

    private static readonly string[] ExporterClients = ["OtlpTraceExporter", "OtlpMetricExporter", "OtlpLogExporter"];

    public static TBuilder AddServiceDefaults<TBuilder>(this TBuilder builder) where TBuilder : IHostApplicationBuilder
    {
        builder.ConfigureOpenTelemetry();
        builder.Services.AddHealthChecks().AddCheck("self", () => HealthCheckResult.Healthy(), [LiveTag]);
        builder.Services.AddServiceDiscovery();
        builder.Services.ConfigureHttpClientDefaults(http =>
        {
            http.AddStandardResilienceHandler();
            http.AddServiceDiscovery();
        });
        return builder;
    }

    /// <summary>Logs, metrics and traces; exported by OTLP where <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> is set, else nowhere.</summary>
    public static TBuilder ConfigureOpenTelemetry<TBuilder>(this TBuilder builder) where TBuilder : IHostApplicationBuilder
    {
        builder.Logging.AddOpenTelemetry(logging =>
        {
            logging.IncludeFormattedMessage = true;
            logging.IncludeScopes = true;
        });
        var version = Assembly.GetEntryAssembly()?.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion;
        var telemetry = builder.Services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService(builder.Environment.ApplicationName, serviceVersion: version))
            .WithMetrics(metrics => metrics
                .AddMeter(TelemetryNames.All)
                .AddAspNetCoreInstrumentation()
                .AddHttpClientInstrumentation()
                .AddRuntimeInstrumentation())
            .WithTracing(tracing => tracing
                .AddSource(TelemetryNames.All)
                .AddAspNetCoreInstrumentation(options => options.Filter = context => !IsProbe(context.Request.Path))
                .AddHttpClientInstrumentation());
        if (builder.Configuration.OtlpEndpoint() is not null)
        {
            telemetry.UseOtlpExporter().WithTracing(tracing => tracing.AddInstrumentation(
                services => new ExporterWatch(services.GetRequiredService<ILogger<ExporterWatch>>())));
            // The exporter has a patience of its own; each of its failures would be a log of retries, and be exported in turn.
#pragma warning disable EXTEXP0001 // The one way out of the defaults that is there.
            foreach (var client in ExporterClients)
                builder.Services.AddHttpClient(client).RemoveAllResilienceHandlers();
#pragma warning restore EXTEXP0001
        }

        return builder;
    }

    /// <summary><c>/health</c>: can it do its work; <c>/alive</c>: does the process answer.</summary>
    public static WebApplication MapDefaultEndpoints(this WebApplication app)
    {
        app.MapHealthChecks(HealthPath, new HealthCheckOptions { ResponseWriter = HealthReportWriter.WriteAsync }).WithMetadata(Looking).AllowAnonymous();
        app.MapHealthChecks(AlivePath, new HealthCheckOptions
        {
            Predicate = check => check.Tags.Contains(LiveTag),
            ResponseWriter = HealthReportWriter.WriteAsync,
        }).WithMetadata(Looking).AllowAnonymous();
        return app;
    }

    private static readonly HttpMethodMetadata Looking = new([HttpMethods.Get, HttpMethods.Head]);

    private const string HealthPath = "/health";

    private const string AlivePath = "/alive";

    private static bool IsProbe(PathString path) =>
        path.StartsWithSegments(HealthPath, StringComparison.Ordinal) || path.StartsWithSegments(AlivePath, StringComparison.Ordinal);
}
