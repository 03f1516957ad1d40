using Microsoft.Extensions.DependencyInjection;
using NewarBots.Contract;
using NewarBots.Recorder.Recording;

namespace NewarBots.Recorder;

internal static class VisitRegistration
{
    /// <summary>How the session comes to its audio: in a browser, or, where the environment says so, out of itself.</summary>
    public static IServiceCollection AddVisits(this IServiceCollection services, RecorderEnvironment environment)
    {
        if (environment.GenerateAudio)
            services.AddTransient<IMeetingVisit, GeneratedVisit>();
        else
            services.AddTransient<IMeetingVisit, MeetingVisit>();
        return services.AddSingleton<Func<IMeetingVisit>>(provider => provider.GetRequiredService<IMeetingVisit>);
    }
}
