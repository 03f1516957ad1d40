using System.Collections.Frozen;
using System.Diagnostics.Tracing;
using Microsoft.Extensions.Logging;

namespace NewarBots.ServiceDefaults;

/// <summary>
/// Says once that telemetry does not get through, and once that all of it does again. The exporter itself tells only its event
/// source, each time anew.
/// </summary>
internal sealed partial class ExporterWatch(ILogger<ExporterWatch> logger) : EventListener
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

    /// <summary>Logs, metrics and traces have an address each: what takes traces may know nothing of metrics.</summary>
    private readonly HashSet<string> _away = new(StringComparer.Ordinal);

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
            if (IsLastToReturn(address))
                Log.Back(logger, address);
        }
        else if (Failures.Contains(eventData.EventName) && IsFirstToMiss(address))
        {
            Log.Away(logger, address, ReasonIn(payload[^1]));
        }
    }

    private bool IsFirstToMiss(string address)
    {
        lock (_away)
            return _away.Add(address) && _away.Count == 1;
    }

    private bool IsLastToReturn(string address)
    {
        lock (_away)
            return _away.Remove(address) && _away.Count == 0;
    }

    /// <summary>Of an exception its own message, without what caused it and where.</summary>
    private static string? ReasonIn(object? detail) => detail?.ToString()?.Split([" --->", "\n", "\r"], StringSplitOptions.None)[0];

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Telemetry does not get through to {Endpoint} (OTEL_EXPORTER_OTLP_ENDPOINT) and is dropped until it does: {Reason}")]
        public static partial void Away(ILogger logger, string endpoint, string? reason);

        [LoggerMessage(LogLevel.Information, "Telemetry gets through to {Endpoint} again")]
        public static partial void Back(ILogger logger, string endpoint);
    }
}
