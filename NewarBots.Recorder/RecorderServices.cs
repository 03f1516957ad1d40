using Microsoft.Extensions.DependencyInjection;
using NewarBots.Contract;
using NewarBots.Recorder.Hosting;
using NewarBots.Recorder.Joining;
using NewarBots.Recorder.Leaving;
using NewarBots.Recorder.Recording;
using NewarBots.Recorder.Reporting;

namespace NewarBots.Recorder;

internal static class RecorderServices
{
    /// <param name="services">The recorder's services.</param>
    /// <param name="environment">Selects the browser or another source of audio, and the session folder, which exists.</param>
    /// <param name="assignment">The session.</param>
    /// <param name="input">The selectors and the account.</param>
    /// <param name="watchdog">The armed watchdog.</param>
    public static IServiceCollection AddRecorder(
        this IServiceCollection services, RecorderEnvironment environment, RecorderAssignment assignment, JoiningInput input, Watchdog watchdog)
    {
        services
            .AddSingleton(assignment)
            .AddSingleton(input)
            .AddSingleton(watchdog)
            .AddSingleton(new MonotonicClock(TimeProvider.System))
            .AddSingleton<TimeProvider>(provider => provider.GetRequiredService<MonotonicClock>())
            .AddSingleton<StopSignal>()
            .AddSingleton<MeetingCompanions>()
            .AddSingleton<RejoinBudget>()
            .AddSingleton<RecorderRun>()
            .AddReporting(assignment, environment.SessionFolder)
            .AddRecording(environment.SessionFolder)
            .AddSingleton<Func<IMeetingVisit>>(provider => provider.GetRequiredService<IMeetingVisit>);
        return environment.GenerateAudio
            ? services.AddTransient<IMeetingVisit, GeneratedAudioVisit>()
            : services
                .AddSingleton<Func<Task<MeetingBrowser>>>(provider =>
                    () => MeetingBrowser.StartAsync(environment, assignment, input.Account, provider.GetRequiredService<CaptureHook>()))
                .AddSingleton<Joiner>()
                .AddSingleton<CountDisagreements>()
                .AddSingleton<WaitingRoomGaps>()
                .AddSingleton<CallAttendance>()
                .AddTransient<IMeetingVisit, MeetingVisit>();
    }

    private static IServiceCollection AddReporting(this IServiceCollection services, RecorderAssignment assignment, string folder)
    {
        services
            .AddSingleton(provider => ActivatorUtilities.CreateInstance<SessionJournal>(provider, folder))
            .AddSingleton<StatusOutbox>()
            .AddSingleton<ShutdownFlush>()
            .AddSingleton(provider => ActivatorUtilities.CreateInstance<StatusReporter>(provider, assignment.SessionId))
            .AddSingleton(provider => ActivatorUtilities.CreateInstance<Evidence>(provider, folder))
            .AddSingleton(provider => ActivatorUtilities.CreateInstance<LiveScreenshots>(provider, folder));
        return assignment.RedisUrl is { } configuration
            ? services.AddSingleton(provider => ActivatorUtilities.CreateInstance<RedisStatusSender>(provider, assignment.SessionId, configuration))
            : services;
    }

    private static IServiceCollection AddRecording(this IServiceCollection services, string folder) => services
        .AddSingleton<CaptureHook>()
        .AddSingleton<AudioRecovery>()
        .AddSingleton(provider => ActivatorUtilities.CreateInstance<TrackFiles>(provider, folder))
        .AddSingleton(provider => ActivatorUtilities.CreateInstance<SessionRecording>(provider, folder));
}
