using Microsoft.Extensions.DependencyInjection;

namespace NewarBots.Recorder.Recording;

internal static class RecordingRegistration
{
    /// <param name="services">The recorder's services.</param>
    /// <param name="folder">The session's folder; it exists.</param>
    public static IServiceCollection AddRecording(this IServiceCollection services, string folder) => services
        .AddSingleton<CaptureHook>()
        .AddSingleton<HearingAid>()
        .AddSingleton(provider => ActivatorUtilities.CreateInstance<TrackFiles>(provider, folder))
        .AddSingleton(provider => ActivatorUtilities.CreateInstance<SessionRecording>(provider, folder));
}
