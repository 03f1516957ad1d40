using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using NewarBots.Manager.Bots;

namespace NewarBots.Manager.Launching;

internal static class LaunchingRegistration
{
    /// <summary>Adds the launcher and the stopper of bots. Needs <see cref="Contract.StorageLayout"/> and <c>IConnectionMultiplexer</c>.</summary>
    public static TBuilder AddLaunching<TBuilder>(this TBuilder builder) where TBuilder : IHostApplicationBuilder
    {
        builder.Services.AddSingleton<IValidateOptions<JoiningOptions>, JoiningOptionsValidator>();
        builder.Services.AddOptions<JoiningOptions>().BindConfiguration(JoiningOptions.Section).ValidateOnStart();
        // The instance that was validated at the start. The default implementation would validate the files again when the first bot is launched.
        builder.Services.AddSingleton(services => Options.Create(services.GetRequiredService<IOptionsMonitor<JoiningOptions>>().CurrentValue));
        builder.Services.AddOptions<RecordingOptions>().BindConfiguration(RecordingOptions.Section).ValidateOnStart();

        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.TryAddSingleton<BotMetrics>();
        builder.Services.AddSingleton<RecorderAccessKey>();
        builder.Services.AddSingleton<RecorderAccess>();
        builder.Services.AddSingleton<RecorderAssignments>();
        builder.Services.AddSingleton<RecorderPreparation>();
        builder.Services.AddSingleton<CompanionAnnouncer>();

        builder.Services.AddSingleton<BotScreenshots>();

        builder.Services.AddHostedService<BotLauncher>();
        builder.Services.AddSingleton<BotStopper>();
        builder.Services.AddHostedService(services => services.GetRequiredService<BotStopper>());
        return builder;
    }
}
