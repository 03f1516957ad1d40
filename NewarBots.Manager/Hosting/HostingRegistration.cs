using Microsoft.Extensions.Options;
using NewarBots.Contract;

namespace NewarBots.Manager.Hosting;

internal static class HostingRegistration
{
    /// <summary>The clock, the storage folder, and the background loops with their health check.</summary>
    public static IHostApplicationBuilder AddHosting(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddOptions<StorageOptions>().BindConfiguration(StorageOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        builder.Services.AddSingleton(services => new StorageLayout(services.GetRequiredService<IOptions<StorageOptions>>().Value.Path));
        builder.Services.AddSingleton<BackgroundLoops>();
        builder.Services.AddHealthChecks().AddCheck<BackgroundLoopsHealthCheck>("loops");
        return builder;
    }
}
