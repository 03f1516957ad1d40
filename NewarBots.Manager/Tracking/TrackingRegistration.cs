namespace NewarBots.Manager.Tracking;

internal static class TrackingRegistration
{
    public static IHostApplicationBuilder AddTracking(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<BotFollower>();
        builder.Services.AddHostedService<StatusListener>();
        return builder;
    }
}
