using Microsoft.Extensions.Options;
using NewarBots.Manager.Hosting;

namespace NewarBots.Manager.Ending;

internal static class EndingRegistration
{
    public static IHostApplicationBuilder AddEnding(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<IValidateOptions<RemovingOptions>, RemovingOptionsValidator>();
        builder.Services.AddOptions<RemovingOptions>().BindConfiguration(RemovingOptions.Section).ValidateOnStart();
        builder.Services.AddSingleton<KeptLog>();
        builder.Services.AddSingleton<FinalFolders>();
        builder.Services.AddSingleton<OrphanedFolders>();
        builder.Services.AddHostedService<Retention>();
        builder.Services.AddHealthChecks().AddCheck<OrphanedFoldersHealthCheck>("leftovers");
        builder.Services.AddSingleton<BotRemover>();
        builder.Services.AddSingleton<RetryBackoff>();
        builder.Services.AddSingleton<BotFinisher>();
        builder.Services.AddHostedService(services => services.GetRequiredService<BotFinisher>());
        builder.Services.AddHostedService<RecorderExitWatcher>();
        builder.Services.AddHealthChecks().AddCheck<RetryBackoffHealthCheck>("recordings");
        return builder;
    }
}
