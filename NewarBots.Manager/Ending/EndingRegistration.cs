using Microsoft.Extensions.Options;

namespace NewarBots.Manager.Ending;

internal static class EndingRegistration
{
    public static IHostApplicationBuilder AddEnding(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<IValidateOptions<RetentionOptions>, RetentionOptionsValidator>();
        builder.Services.AddOptions<RetentionOptions>().BindConfiguration(RetentionOptions.Section).ValidateOnStart();
        builder.Services.AddSingleton<BotLog>();
        builder.Services.AddSingleton<FinalFiles>();
        builder.Services.AddSingleton<OrphanedFolders>();
        builder.Services.AddHostedService<Retention>();
        builder.Services.AddHealthChecks().AddCheck<OrphanedFoldersHealthCheck>("orphaned-folders");
        builder.Services.AddSingleton<FailedFinalizations>();
        builder.Services.AddHealthChecks().AddCheck<FailedFinalizationsHealthCheck>("finalizations");
        builder.Services.AddSingleton<BotRemover>();
        builder.Services.AddSingleton<FailureDiagnosis>();
        builder.Services.AddSingleton<FinalizationTurns>();
        builder.Services.AddSingleton<BotDeletion>();
        builder.Services.AddSingleton<BotFinisher>();
        builder.Services.AddHostedService(services => services.GetRequiredService<BotFinisher>());
        builder.Services.AddHostedService<RecorderExitWatcher>();
        builder.Services.AddHostedService<OutageWatch>();
        return builder;
    }
}
