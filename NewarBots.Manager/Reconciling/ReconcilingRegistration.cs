namespace NewarBots.Manager.Reconciling;

internal static class ReconcilingRegistration
{
    public static IHostApplicationBuilder AddReconciling(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<BotAdopter>();
        builder.Services.AddSingleton<RecordingAdopter>();
        builder.Services.AddHostedService<Reconciler>();
        return builder;
    }
}
