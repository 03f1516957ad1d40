using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Net.Http.Headers;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace NewarBots.ServiceDefaults;

/// <summary>Defaults shared by both services: telemetry, health checks, service discovery, resilient HTTP.</summary>
public static class Extensions
{
    private const string OtlpEndpointKey = "OTEL_EXPORTER_OTLP_ENDPOINT";

    private const string ServiceNameKey = "OTEL_SERVICE_NAME";

    private const string ResourceAttributesKey = "OTEL_RESOURCE_ATTRIBUTES";

    private const string HealthPath = "/health";

    private const string AlivePath = "/alive";

    private const string LiveTag = "live";

    private static readonly string[] ExporterClients = ["OtlpTraceExporter", "OtlpMetricExporter", "OtlpLogExporter"];

    private static readonly HttpMethodMetadata ReadMethods = new([HttpMethods.Get, HttpMethods.Head]);

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

    /// <summary>Collects logs, metrics and traces, and exports them over OTLP if <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> is set.</summary>
    public static TBuilder ConfigureOpenTelemetry<TBuilder>(this TBuilder builder) where TBuilder : IHostApplicationBuilder
    {
        // At Information, ASP.NET Core logs several lines for each request. A setting overrides this default.
        builder.Configuration.Sources.Insert(0, new MemoryConfigurationSource
        {
            InitialData = new Dictionary<string, string?> { ["Logging:LogLevel:Microsoft.AspNetCore"] = nameof(LogLevel.Warning) },
        });
        builder.Logging.AddOpenTelemetry(logging =>
        {
            logging.IncludeFormattedMessage = true;
            logging.IncludeScopes = true;
        });
        var version = Assembly.GetEntryAssembly()?.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion;
        var telemetry = builder.Services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService(
                // Aspire ties telemetry to its resource by these names.
                builder.Configuration[ServiceNameKey] ?? builder.Environment.ApplicationName,
                serviceVersion: version,
                autoGenerateServiceInstanceId: builder.Configuration[ResourceAttributesKey] is null))
            .WithMetrics(metrics => metrics
                .AddMeter(TelemetryNames.All)
                .AddAspNetCoreInstrumentation()
                .AddHttpClientInstrumentation()
                .AddRuntimeInstrumentation())
            .WithTracing(tracing => tracing
                .AddSource(TelemetryNames.All)
                .AddAspNetCoreInstrumentation(options =>
                {
                    options.Filter = IsTraced;
                    options.EnrichWithHttpResponse = (activity, _) => RequestTrace.Name(activity);
                })
                .AddHttpClientInstrumentation());
        if (HasOtlpEndpoint(builder.Configuration))
        {
            telemetry.UseOtlpExporter().WithTracing(tracing => tracing.AddInstrumentation(
                services => new TelemetryExportMonitor(services.GetRequiredService<ILogger<TelemetryExportMonitor>>())));
            // The exporter retries itself. A resilience handler would log each retry, and those logs would be exported again.
#pragma warning disable EXTEXP0001 // The only API that removes the default handler.
            foreach (var client in ExporterClients)
                builder.Services.AddHttpClient(client).RemoveAllResilienceHandlers();
#pragma warning restore EXTEXP0001
        }

        return builder;
    }

    /// <summary>Maps <c>/health</c> (all checks, including dependencies) and <c>/alive</c> (the process responds).</summary>
    public static WebApplication MapDefaultEndpoints(this WebApplication app)
    {
        app.MapHealthChecks(HealthPath, new HealthCheckOptions { ResponseWriter = HealthReportWriter.WriteAsync }).WithMetadata(ReadMethods).AllowAnonymous();
        app.MapHealthChecks(AlivePath, new HealthCheckOptions
        {
            Predicate = check => check.Tags.Contains(LiveTag),
            ResponseWriter = HealthReportWriter.WriteAsync,
        }).WithMetadata(ReadMethods).AllowAnonymous();
        return app;
    }

    /// <exception cref="InvalidSettingException">The setting is not an http or https address.</exception>
    private static bool HasOtlpEndpoint(IConfiguration configuration)
    {
        var text = configuration[OtlpEndpointKey];
        if (string.IsNullOrWhiteSpace(text))
            return false;
        return Uri.TryCreate(text, UriKind.Absolute, out var endpoint) && endpoint is { Scheme: "http" or "https" }
            ? true
            : throw new InvalidSettingException($"{OtlpEndpointKey} is '{text}' and must be an http or https address, for example http://localhost:4317.");
    }

    /// <summary>
    /// Requests that change something. Reading is polling, page assets and probes, which would bury the traces of the bots. It is traced for
    /// callers that trace it themselves.
    /// </summary>
    private static bool IsTraced(HttpContext context) =>
        !(HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method)) || context.Request.Headers.ContainsKey(HeaderNames.TraceParent);
}
