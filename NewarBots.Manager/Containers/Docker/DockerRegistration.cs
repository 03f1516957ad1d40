namespace NewarBots.Manager.Containers.Docker;

internal static class DockerRegistration
{
    public static IServiceCollection AddDocker(this IServiceCollection services)
    {
        services.AddSingleton<DockerEngine>();
        services.AddSingleton<HostPaths>();
        services.AddSingleton<RecorderStack>();
        services.AddSingleton<BotNetwork>();
        services.AddSingleton<IBotNetwork>(provider => provider.GetRequiredService<BotNetwork>());
        services.AddSingleton<LoopbackRelay>();
        services.AddSingleton<IPortForwarding>(provider => provider.GetRequiredService<LoopbackRelay>());
        services.AddSingleton<DockerContainerLookup>();
        services.AddSingleton<DockerContainerLogs>();
        services.AddSingleton<DockerExitEvents>();
        services.AddSingleton<IRecorderRuntime, DockerRuntime>();
        services.AddHealthChecks().AddCheck<DockerHealthCheck>("docker");
        return services;
    }
}
