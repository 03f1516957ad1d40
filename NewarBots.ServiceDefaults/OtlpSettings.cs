using Microsoft.Extensions.Configuration;

namespace NewarBots.ServiceDefaults;

/// <summary>Where telemetry goes, by OpenTelemetry's own settings.</summary>
internal static class OtlpSettings
{
    private const string EndpointKey = "OTEL_EXPORTER_OTLP_ENDPOINT";

    /// <returns><see langword="null"/> where none is set: then telemetry goes nowhere.</returns>
    /// <exception cref="InvalidOperationException">It is set to something that is no address.</exception>
    public static Uri? OtlpEndpoint(this IConfiguration configuration)
    {
        var text = configuration[EndpointKey];
        if (string.IsNullOrWhiteSpace(text))
            return null;
        return Uri.TryCreate(text, UriKind.Absolute, out var endpoint) && endpoint is { Scheme: "http" or "https" }
            ? endpoint
            : throw new InvalidOperationException($"{EndpointKey} is '{text}' and must be an http or https address, for example http://localhost:4317.");
    }
}
