using Microsoft.Extensions.DependencyInjection;
using NewarBots.Contract;

namespace NewarBots.Recorder.Leaving;

internal static class LeavingRegistration
{
    public static IServiceCollection AddLeaving(this IServiceCollection services) => services
        .AddSingleton<StopSignal>()
        .AddSingleton(provider => new Watchdog(provider.GetRequiredService<TimeProvider>(), EndProcess))
        .AddSingleton<CallAttendance>();

    private static void EndProcess()
    {
        Console.Error.WriteLine("The recorder outlived its time and is ended by its watchdog.");
        Environment.Exit((int)RecorderExitCode.Watchdog);
    }
}
