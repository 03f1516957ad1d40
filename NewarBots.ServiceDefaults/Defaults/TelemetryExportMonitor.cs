using System.Collections.Frozen;
using System.Diagnostics.Tracing;
using Microsoft.Extensions.Logging;

namespace NewarBots.ServiceDefaults;

/// <summary>
/// Logs once when telemetry export starts to fail, and once when all of it works again. The exporter itself reports failures only to its
/// event source, one event per batch.
/// </summary>
internal sealed partial class TelemetryExportMonitor(ILogger<TelemetryExportMonitor> logger) : EventListener
{
    private const string ExporterSource = "OpenTelemetry-Exporter-OpenTelemetryProtocol";

    private const string Success = "ExportSuccess";

    /// <summary>All events with which the exporter's gRPC and HTTP clients report a rejected batch.</summary>
    private static readonly FrozenSet<string?> Failures = FrozenSet.Create<string?>(
        "FailedToReachCollector",
        "TransientHttpError",
        "HttpRequestFailed",
        "RequestTimedOut",
        "OperationUnexpectedlyCanceled",
        "ResponseDeserializationFailed",
        "ExportFailure");

    /// <summary>Logs, metrics and traces have separate addresses, which can fail separately.</summary>
    private readonly HashSet<string> _failing = new(StringComparer.Ordinal);

    protected override void OnEventSourceCreated(EventSource eventSource)
    {
        if (eventSource.Name == ExporterSource)
            EnableEvents(eventSource, EventLevel.Informational);
    }

    protected override void OnEventWritten(EventWrittenEventArgs eventData)
    {
        if (eventData.Payload is not [string address, ..] payload)
            return;
        if (eventData.EventName is Success)
        {
            if (IsLastToRecover(address))
                Log.Recovered(logger, address);
        }
        else if (Failures.Contains(eventData.EventName) && IsFirstToFail(address))
        {
            Log.Failing(logger, address, ReasonIn(payload[^1]));
        }
    }

    private bool IsFirstToFail(string address)
    {
        lock (_failing)
            return _failing.Add(address) && _failing.Count == 1;
    }

    private bool IsLastToRecover(string address)
    {
        lock (_failing)
            return _failing.Remove(address) && _failing.Count == 0;
    }

    /// <summary>The first line of an exception, without its inner exceptions and stack trace.</summary>
    private static string? ReasonIn(object? detail) => detail?.ToString()?.Split([" --->", "\n", "\r"], StringSplitOptions.None)[0];

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Telemetry export to {Endpoint} (OTEL_EXPORTER_OTLP_ENDPOINT) fails, telemetry is dropped until it recovers: {Reason}")]
        public static partial void Failing(ILogger logger, string endpoint, string? reason);

        [LoggerMessage(LogLevel.Information, "Telemetry export to {Endpoint} works again")]
        public static partial void Recovered(ILogger logger, string endpoint);
    }
}
