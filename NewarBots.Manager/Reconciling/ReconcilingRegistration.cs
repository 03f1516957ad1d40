namespace NewarBots.Manager.Reconciling;

internal static class ReconcilingRegistration
{
    public static IHostApplicationBuilder AddReconciling(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<BotRecovery>();
        builder.Services.AddSingleton<RecordingRecovery>();
        builder.Services.AddHostedService<Reconciler>();
        return builder;
    }
}
