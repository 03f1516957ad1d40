using System.Diagnostics;
using OpenTelemetry;
using OpenTelemetry.Logs;

namespace NewarBots.Recorder;

/// <summary>Most of a meeting lies between two spans: what is logged there belongs to the bot's trace all the same.</summary>
internal sealed class LogsUnderTheLaunch(ActivityContext launch) : BaseProcessor<LogRecord>
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
