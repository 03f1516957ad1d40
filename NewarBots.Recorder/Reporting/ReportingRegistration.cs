using Microsoft.Extensions.DependencyInjection;
using NewarBots.Contract;

namespace NewarBots.Recorder.Reporting;

internal static class ReportingRegistration
{
    /// <param name="services">The recorder's services.</param>
    /// <param name="environment">Says whose words these are, and where Redis is.</param>
    /// <param name="folder">The session's folder; it exists.</param>
    public static IServiceCollection AddReporting(this IServiceCollection services, RecorderEnvironment environment, string folder)
    {
        services
            .AddSingleton(new SessionJournal(folder))
            .AddSingleton<StatusOutbox>()
            .AddSingleton(provider => ActivatorUtilities.CreateInstance<StatusReporter>(provider, environment.SessionId))
            .AddSingleton(provider => ActivatorUtilities.CreateInstance<Evidence>(provider, folder));
        if (environment.RedisUrl is { } configuration)
        {
            services.AddSingleton(provider =>
                ActivatorUtilities.CreateInstance<RedisStatusSender>(provider, environment.SessionId, configuration));
        }

        return services;
    }
}
