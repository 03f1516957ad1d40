using Microsoft.Extensions.Options;
using NewarBots.Manager.Containers.Docker;
using NewarBots.Manager.Containers.Kubernetes;

namespace NewarBots.Manager.Containers;

internal static partial class ContainersRegistration
{
    /// <summary>Adds the runtime that <c>Recorders:Runtime</c> names, with its health check. Needs <c>StorageLayout</c>.</summary>
    public static IHostApplicationBuilder AddContainers(this IHostApplicationBuilder builder)
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

        builder.AddRuntime();
        builder.Services.AddSingleton<SessionFolders>();
        builder.Services.AddHostedService<DeletedFolders>();
        builder.Services.AddHostedService<ContainerUsage>();
        builder.Services.AddExceptionHandler<ContainerEngineExceptionHandler>();
        return builder;
    }

    /// <exception cref="OptionsValidationException">The runtime is unknown.</exception>
    private static void AddRuntime(this IHostApplicationBuilder builder)
    {
        const string Setting = "Recorders:Runtime";
        _ = builder.Configuration[Setting] switch
        {
            null or "" or "docker" => builder.Services.AddDocker(),
            "kubernetes" => builder.Services.AddKubernetes(),
            var other => throw new OptionsValidationException(
                Setting, typeof(LaunchingOptions), [$"{Setting} must be docker or kubernetes (it is '{other}')."]),
        };
    }

    private static partial class Log
    {
        [LoggerMessage(
            LogLevel.Warning,
            "Launching:ChromiumSandbox is off: only the container isolates a page that breaks out of its renderer.")]
        public static partial void NoSandbox(ILogger logger);

        [LoggerMessage(LogLevel.Warning, "Launching:GenerateAudio is on: bots join no meeting and record generated tones.")]
        public static partial void GeneratedAudio(ILogger logger);
    }
}
