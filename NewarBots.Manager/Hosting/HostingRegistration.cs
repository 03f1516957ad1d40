using System.ComponentModel.DataAnnotations;
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

/// <summary>Section <c>Storage</c>. Services use the <see cref="StorageLayout"/> made from it.</summary>
internal sealed class StorageOptions
{
    public const string Section = "Storage";

    /// <summary>The folder that holds <c>recordings/</c>; a relative path is relative to the working directory.</summary>
    [Required(ErrorMessage = "Storage:Path must name the folder for the recordings.")]
    public string Path { get; set; } = "storage";
}
