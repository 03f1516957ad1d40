using Microsoft.Extensions.Options;

namespace NewarBots.Manager.Containers.Kubernetes;

internal static class KubernetesRegistration
{
    public static IServiceCollection AddKubernetes(this IServiceCollection services)
    {
        services.AddSingleton<IValidateOptions<KubernetesOptions>, KubernetesOptionsValidator>();
        services.AddOptions<KubernetesOptions>().BindConfiguration(KubernetesOptions.Section).ValidateOnStart();
        services.AddSingleton<KubernetesEngine>();
        services.AddSingleton<PodLookup>();
        services.AddSingleton<PodLogs>();
        services.AddSingleton<PodExits>();
        services.AddSingleton<IPortForwarding, NoPortForwarding>();
        services.AddSingleton<IRecorderRuntime, KubernetesRuntime>();
        services.AddHealthChecks().AddCheck<KubernetesHealthCheck>("kubernetes");
        return services;
    }
}
