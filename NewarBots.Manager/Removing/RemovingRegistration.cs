using Microsoft.Extensions.Options;

namespace NewarBots.Manager.Removing;

internal static class RemovingRegistration
{
    public static IHostApplicationBuilder AddRemoving(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<IValidateOptions<RemovingOptions>, RemovingOptionsValidator>();
        builder.Services.AddOptions<RemovingOptions>().BindConfiguration(RemovingOptions.Section).ValidateOnStart();
        builder.Services.AddSingleton<BotLog>();
        builder.Services.AddSingleton<FinalFolders>();
        builder.Services.AddSingleton<Leftovers>();
        builder.Services.AddHostedService<Retention>();
        builder.Services.AddHealthChecks().AddCheck<LeftoversHealthCheck>("leftovers");
        builder.Services.AddSingleton<BotRemover>();
        return builder;
    }
}
