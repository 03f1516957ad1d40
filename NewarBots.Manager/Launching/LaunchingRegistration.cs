using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using NewarBots.Manager.Launching.Engine;
using NewarBots.Manager.Telemetry;

namespace NewarBots.Manager.Launching;

internal static partial class LaunchingRegistration
{
    /// <summary>
    /// What it takes to launch a bot, and a health check named <c>docker</c>. Needs <see cref="Contract.StorageLayout"/> and
    /// <c>IConnectionMultiplexer</c>.
    /// </summary>
    public static TBuilder AddLaunching<TBuilder>(this TBuilder builder) where TBuilder : IHostApplicationBuilder
    {
        builder.Services.AddSingleton<IValidateOptions<LaunchingOptions>, LaunchingOptionsValidator>();
        builder.Services.AddOptions<LaunchingOptions>()
            .Configure<IConfiguration>((options, configuration) =>
                options.DockerHost = configuration["DOCKER_HOST"] is { Length: > 0 } host ? host : options.DockerHost)
            .BindConfiguration(LaunchingOptions.Section)
            .PostConfigure<ILogger<LaunchingOptions>>((options, logger) =>
            {
                if (!options.ChromiumSandbox)
                    Log.NoSandbox(logger);
                if (options.GenerateAudio)
                    Log.GeneratedAudio(logger);
            })
            .ValidateOnStart();

        builder.Services.AddSingleton<IValidateOptions<JoiningOptions>, JoiningOptionsValidator>();
        builder.Services.AddOptions<JoiningOptions>().BindConfiguration(JoiningOptions.Section).ValidateOnStart();
        builder.Services.AddOptions<RecordingOptions>().BindConfiguration(RecordingOptions.Section).ValidateOnStart();

        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.TryAddSingleton<BotMetrics>();
        builder.Services.AddSingleton<DockerEngine>();
        builder.Services.AddSingleton<HostPaths>();
        builder.Services.AddSingleton<RecorderStack>();
        builder.Services.AddSingleton<BotNetwork>();
        builder.Services.AddSingleton<IBotNetwork>(services => services.GetRequiredService<BotNetwork>());
        builder.Services.AddSingleton<IRecorderContainers, DockerRecorderContainers>();

        builder.Services.AddSingleton<RecorderAccessKey>();
        builder.Services.AddSingleton<RecorderAccess>();
        builder.Services.AddSingleton<RecorderBriefing>();
        builder.Services.AddSingleton<SessionFolders>();
        builder.Services.AddSingleton<LoopbackRelay>();
        builder.Services.AddSingleton<RecorderPreparation>();

        builder.Services.AddHealthChecks().AddCheck<DockerHealthCheck>("docker");
        builder.Services.AddSingleton<LaunchSignal>();
        builder.Services.AddHostedService<BotLauncher>();
        return builder;
    }

    private static partial class Log
    {
        [LoggerMessage(
            LogLevel.Warning,
            "Launching:ChromiumSandbox is off: a page that breaks out of its renderer is held by its container alone.")]
        public static partial void NoSandbox(ILogger logger);

        [LoggerMessage(
            LogLevel.Warning,
            "Launching:GenerateAudio is on: no bot joins its meeting, each records tones that it makes itself.")]
        public static partial void GeneratedAudio(ILogger logger);
    }
}
