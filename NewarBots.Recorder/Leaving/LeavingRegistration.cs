using Microsoft.Extensions.DependencyInjection;

namespace NewarBots.Recorder.Leaving;

internal static class LeavingRegistration
{
    /// <param name="services">Of the recorder.</param>
    /// <param name="watchdog">It is armed.</param>
    public static IServiceCollection AddLeaving(this IServiceCollection services, Watchdog watchdog) => services
        .AddSingleton<StopSignal>()
        .AddSingleton(watchdog)
        .AddSingleton<CallAttendance>();
}
