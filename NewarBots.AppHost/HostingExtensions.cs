#pragma warning disable ASPIRECERTIFICATES001 // WithoutHttpsCertificate is marked experimental.

using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace NewarBots.AppHost;

/// <summary>Adds addresses, images and Redis, which the manager needs.</summary>
internal static class HostingExtensions
{
    /// <summary>Name of the resource and of the connection string.</summary>
    private const string Redis = "redis";

    /// <summary>An image that is built from this machine's packages where no registry can be reached.</summary>
    private const string RedisImage = "newarbots/redis";

    /// <summary>The limits of the deployment (<c>deploy/compose.yaml</c>): a page that reaches Redis cannot fill this machine's memory.</summary>
    private static readonly string[] RedisSettings =
    [
        "--appendonly", "yes", "--maxmemory", "1gb", "--maxmemory-policy", "noeviction", "--proto-max-bulk-len", "1mb",
        "--client-query-buffer-limit", "2mb", "--maxmemory-clients", "64mb", "--acllog-max-len", "0",
    ];

    /// <summary>Makes the settings available to services, sets the dashboard's address, and checks ports and storage before anything starts.</summary>
    /// <exception cref="InvalidSettingsException">Other programs use the ports, or the storage folder cannot be written to.</exception>
    public static async Task UseSettingsAsync(this IDistributedApplicationBuilder builder, AppHostSettings settings)
    {
        builder.Services.AddSingleton(settings);
        builder.Services.AddSingleton(TimeProvider.System);
        // Aspire takes the dashboard's address from this key. The user's value is the manager's address.
        builder.Configuration[Addresses.ManagerUrlsKey] = settings.Addresses.Dashboard.ToString();
        if (builder.ExecutionContext.IsRunMode)
        {
            await settings.CheckMachineAsync(
                arePortsChosen: builder.Configuration.GetValue<bool>("DcpPublisher:RandomizePorts"), isRedisStarted: !builder.HasRedisOfUser());
        }
    }

    /// <summary>Adds an executable that runs a script in <c>eng/</c>, which ensures that an image exists, and exits.</summary>
    /// <param name="builder">The application.</param>
    /// <param name="name">Name of the resource.</param>
    /// <param name="script">Name of the script.</param>
    /// <param name="arguments">Arguments of the script.</param>
    public static IResourceBuilder<ExecutableResource> AddImageBuild(
        this IDistributedApplicationBuilder builder, string name, string script, params string[] arguments) =>
        builder.AddExecutable(name, $"eng/{script}", "..", arguments)
            .WithIconName("BoxToolbox")
            .WithRequiredCommand("docker", "https://docs.docker.com/engine/install/")
            .ExcludeFromManifest();

    /// <summary>
    /// The user's Redis if <c>ConnectionStrings:redis</c> is set, else a container. Bots outlive the AppHost and reconnect to Redis at the
    /// same address, so the container and its port are persistent.
    /// </summary>
    public static IResourceBuilder<IResourceWithConnectionString> AddRedisForBots(this IDistributedApplicationBuilder builder, Addresses addresses)
    {
        if (builder.HasRedisOfUser())
            return builder.AddConnectionString(Redis);

        var redis = builder.AddRedis(Redis, addresses.RedisPort)
            // Bots do not trust the development certificate. Redis listens on this machine only.
            .WithoutHttpsCertificate()
            .WithDataVolume(addresses.RedisContainer)
            .WithArgs(RedisSettings)
            .WithContainerName(addresses.RedisContainer)
            .WithLifetime(ContainerLifetime.Persistent);
        if (!builder.ExecutionContext.IsRunMode)
            return redis;

        var official = redis.Resource.Annotations.OfType<ContainerImageAnnotation>().Last();
        var image = builder.AddImageBuild("redis-image", "redis-image", $"{official.Registry}/{official.Image}:{official.Tag}", $"{RedisImage}:{official.Tag}");
        return redis
            .WithImageRegistry(null)
            .WithImage(RedisImage, official.Tag)
            .WaitForCompletion(image);
    }

    private static bool HasRedisOfUser(this IDistributedApplicationBuilder builder) =>
        !string.IsNullOrWhiteSpace(builder.Configuration.GetConnectionString(Redis));
}
