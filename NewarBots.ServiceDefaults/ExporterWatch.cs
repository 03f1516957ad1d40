using System.Collections.Frozen;
using System.Diagnostics.Tracing;
using Microsoft.Extensions.Logging;

namespace NewarBots.ServiceDefaults;

/// <summary>
/// Says once that telemetry does not get through, and once that it does again. The exporter itself tells only its event source,
/// each time anew.
/// </summary>
internal sealed partial class ExporterWatch(Uri endpoint, ILogger<ExporterWatch> logger) : EventListener
{
    private const string ExporterSource = "OpenTelemetry-Exporter-OpenTelemetryProtocol";

    private const string Success = "ExportSuccess";

    /// <summary>Every way in which the exporter's clients, for gRPC and for HTTP, tell that a batch was not taken.</summary>
    private static readonly FrozenSet<string?> Failures = FrozenSet.Create<string?>(
        "FailedToReachCollector",
        "TransientHttpError",
        "HttpRequestFailed",
        "RequestTimedOut",
        "OperationUnexpectedlyCanceled",
        "ResponseDeserializationFailed",
        "ExportFailure");

    private int _isAway;

    protected override void OnEventSourceCreated(EventSource eventSource)
    {
        if (eventSource.Name == ExporterSource)
            EnableEvents(eventSource, EventLevel.Informational);
    }

    protected override void OnEventWritten(EventWrittenEventArgs eventData)
    {
        if (eventData.EventName is Success)
        {
            if (Interlocked.Exchange(ref _isAway, 0) == 1)
                Log.Back(logger, endpoint);
        }
        else if (Failures.Contains(eventData.EventName) && Interlocked.Exchange(ref _isAway, 1) == 0)
        {
            Log.Away(logger, endpoint);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Telemetry does not get through to {Endpoint} (OTEL_EXPORTER_OTLP_ENDPOINT) and is dropped until it does")]
        public static partial void Away(ILogger logger, Uri endpoint);

        [LoggerMessage(LogLevel.Information, "Telemetry gets through to {Endpoint} again")]
        public static partial void Back(ILogger logger, Uri endpoint);
    }
}
