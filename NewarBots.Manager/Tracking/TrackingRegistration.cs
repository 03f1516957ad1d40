namespace NewarBots.Manager.Tracking;

internal static class TrackingRegistration
{
    public static IHostApplicationBuilder AddTracking(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<BotFollower>();
        builder.Services.AddSingleton<BotStopper>();
        builder.Services.AddHostedService(services => services.GetRequiredService<BotStopper>());
        builder.Services.AddHostedService<StatusListener>();
        builder.Services.AddHostedService<RecorderExitWatcher>();
        return builder;
    }
}
