using Microsoft.Extensions.DependencyInjection;

namespace NewarBots.Recorder.Joining;

internal static class JoiningRegistration
{
    public static IServiceCollection AddJoining(this IServiceCollection services) => services.AddSingleton<Joiner>();
}
