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

    private static string? _session;

    /// <summary>The span that made this container; nothing where the recorder was told of none.</summary>
    public static ActivityContext Launch { get; private set; }

    /// <summary>Takes the session, a tag of every span, and the launch's trace; a trace of our own where there is none.</summary>
    public static void ContinueFrom(RecorderEnvironment environment)
    {
        _session = environment.SessionId.ToString();
        Launch = ActivityContext.TryParse(environment.TraceParent, traceState: null, isRemote: true, out var launch) ? launch : default;
    }

    /// <summary>What a host does when it starts: from here on, spans are seen and metrics are read.</summary>
    public static void StartTelemetry(this IServiceProvider services)
    {
        services.GetService<TracerProvider>();
        services.GetService<MeterProvider>();
    }

    /// <param name="name">The step as a verb, without ids.</param>
    /// <param name="since">When it began, where it is only told of afterwards.</param>
    public static Activity? Start(string name, DateTimeOffset since = default) =>
        Source.StartActivity(name, ActivityKind.Internal, Activity.Current?.Context ?? Launch, startTime: since)
        ?.SetTag("newarbots.bot.id", _session);

    /// <summary>The step did not come to what it was for.</summary>
    public static void Fail(this Activity? activity, EndReason reason, string? detail)
    {
        activity?.SetStatus(ActivityStatusCode.Error, detail);
        activity?.SetTag("error.type", WireWord.Of(reason));
    }
}
