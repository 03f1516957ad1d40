namespace NewarBots.Manager.Scheduling;

internal static class SchedulingRegistration
{
    public static TBuilder AddScheduling<TBuilder>(this TBuilder builder) where TBuilder : IHostApplicationBuilder
    {
        builder.Services.AddHostedService<BotScheduler>();
        return builder;
    }
}
