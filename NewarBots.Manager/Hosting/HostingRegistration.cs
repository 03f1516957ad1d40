using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;
using NewarBots.Contract;

namespace NewarBots.Manager.Hosting;

internal static class HostingRegistration
{
    /// <summary>The clock, the storage folder, and the background loops, with health checks for storage, loops and retries.</summary>
    public static IHostApplicationBuilder AddHosting(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddOptions<StorageOptions>().BindConfiguration(StorageOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        builder.Services.AddSingleton(services => new StorageLayout(services.GetRequiredService<IOptions<StorageOptions>>().Value.Path));
        builder.Services.AddHostedService<StoragePermissions>();
        builder.Services.AddSingleton<StorageCheck>();
        builder.Services.AddSingleton<RetryBackoff>();
        builder.Services.AddSingleton<ClockSetBack>();
        builder.Services.AddSingleton<BackgroundLoops>();
        builder.Services.AddHealthChecks()
            .AddCheck<BackgroundLoopsHealthCheck>("loops")
            .AddCheck<RetryBackoffHealthCheck>("retries")
            .AddBackoff(RetryBackoff.Stops)
            .AddBackoff(RetryBackoff.Messages)
            .AddCheck<StorageHealthCheck>("storage");
        return builder;
    }

    /// <summary>A backoff of its own for some work, as a keyed service, with a health check of the same name.</summary>
    private static IHealthChecksBuilder AddBackoff(this IHealthChecksBuilder checks, string name)
    {
        checks.Services.AddKeyedSingleton<RetryBackoff>(name);
        return checks.Add(new(name, services => new RetryBackoffHealthCheck(services.GetRequiredKeyedService<RetryBackoff>(name)), failureStatus: null, tags: null));
    }
}

/// <summary>Section <c>Storage</c>. Services use the <see cref="StorageLayout"/> made from it.</summary>
internal sealed class StorageOptions
{
    public const string Section = "Storage";

    /// <summary>The folder that holds <c>recordings/</c>; a relative path is relative to the working directory.</summary>
    [Required(ErrorMessage = "Storage:Path must name the folder for the recordings.")]
    public string Path { get; set; } = "storage";

    /// <summary>A group, as name or number, whose members can read finished recordings. Not set: only the manager's user and group can.</summary>
    public string? Group { get; set; }

    /// <summary>With less free space than this, in MiB, new bots are rejected (503) and <c>/health</c> is degraded.</summary>
    [Range(0, int.MaxValue, ErrorMessage = "Storage:MinimumFreeMegabytes must be 0 or more.")]
    public int MinimumFreeMegabytes { get; set; } = 256;
}
