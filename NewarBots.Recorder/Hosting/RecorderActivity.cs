using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using NewarBots.Contract;
using NewarBots.ServiceDefaults;
using OpenTelemetry;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace NewarBots.Recorder.Hosting;

/// <summary>
/// The recorder's spans, children of the span that launched the container. Each covers one short step, so it is exported while the
/// bot is still running.
/// </summary>
internal static class RecorderActivity
{
    private static readonly ActivitySource Source = new(TelemetryNames.Recorder);

    private static string? _session;

    /// <summary>The span that launched this container; default if the assignment names none.</summary>
    public static ActivityContext Launch { get; private set; }

    /// <summary>Sets the session id, a tag of every span, and the parent span. Without a parent, each span starts a trace.</summary>
    public static void ContinueFrom(RecorderAssignment assignment)
    {
        _session = assignment.SessionId.ToString();
        Launch = ActivityContext.TryParse(assignment.TraceParent, traceState: null, isRemote: true, out var launch) ? launch : default;
    }

    /// <summary>Creates the tracer and meter providers, which a running host would do. Spans and metrics are collected from here on.</summary>
    public static void StartTelemetry(this IServiceProvider services)
    {
        services.GetService<TracerProvider>();
        services.GetService<MeterProvider>();
    }

    /// <param name="name">The step as a verb, without ids.</param>
    /// <param name="since">The start time of a step that is recorded after the fact.</param>
    public static Activity? Start(string name, DateTimeOffset since = default) =>
        Source.StartActivity(name, ActivityKind.Internal, Activity.Current?.Context ?? Launch, startTime: since)
        ?.SetTag("newarbots.session", _session);

    /// <summary>Marks the step as failed.</summary>
    public static void Fail(this Activity? activity, EndReason reason, string? detail)
    {
        activity?.SetStatus(ActivityStatusCode.Error, detail);
        activity?.SetTag("error.type", WireWord.Of(reason));
    }
}

/// <summary>Adds log records that are written outside any span, as most of a meeting is, to the bot's trace.</summary>
internal sealed class LaunchTraceLogProcessor(ActivityContext launch) : BaseProcessor<LogRecord>
{
    public override void OnEnd(LogRecord data)
    {
        if (data.TraceId != default || launch == default)
            return;
        data.TraceId = launch.TraceId;
        data.SpanId = launch.SpanId;
        data.TraceFlags = launch.TraceFlags;
    }
}
