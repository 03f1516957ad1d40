using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using NewarBots.Contract;
using NewarBots.ServiceDefaults;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace NewarBots.Recorder;

/// <summary>
/// The recorder's spans: short ones below the launch of the container, each ends with its step, so that they can be seen while
/// the bot still lives.
/// </summary>
internal static class RecorderActivity
{
    private static readonly ActivitySource Source = new(TelemetryNames.Recorder);

    private static ActivityContext _launch;
    private static string? _session;

    /// <summary>Takes the session, a tag of every span, and the launch's trace; a trace of our own where there is none.</summary>
    public static void ContinueFrom(RecorderEnvironment environment)
    {
        _session = environment.SessionId.ToString();
        _launch = ActivityContext.TryParse(environment.TraceParent, traceState: null, isRemote: true, out var launch) ? launch : default;
    }

    /// <summary>What a host does when it starts: from here on, spans are seen and metrics are read.</summary>
    public static void StartTelemetry(this IServiceProvider services)
    {
        services.GetService<TracerProvider>();
        services.GetService<MeterProvider>();
    }

    public static Activity? Start(string name) =>
        (Activity.Current is null ? Source.StartActivity(name, ActivityKind.Internal, _launch) : Source.StartActivity(name))
        ?.SetTag("newarbots.bot.id", _session);
}
