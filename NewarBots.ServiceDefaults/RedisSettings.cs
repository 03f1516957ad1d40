using Microsoft.Extensions.Configuration;
using StackExchange.Redis;

namespace NewarBots.ServiceDefaults;

/// <summary>
/// How Redis is reached, by the settings that Aspire's integration has
/// (<see href="https://aspire.dev/integrations/caching/redis/"/>): <c>ConnectionStrings:{name}</c>, else <c>ConnectionString</c> in
/// <c>Aspire:StackExchange:Redis:{name}</c> or above it; the <c>ConfigurationOptions</c> of both are laid over that.
/// </summary>
public sealed class RedisSettings
{
    private const string Section = "Aspire:StackExchange:Redis";

    public string? ConnectionString { get; set; }

    /// <summary>Whether <c>/health</c> is silent about Redis.</summary>
    public bool DisableHealthChecks { get; set; }

    /// <param name="configuration">The service's.</param>
    /// <param name="name">The connection's.</param>
    internal static RedisSettings Read(IConfiguration configuration, string name)
    {
        var settings = new RedisSettings();
        foreach (var section in Sections(configuration, name))
            section.Bind(settings);
        settings.ConnectionString = configuration.GetConnectionString(name) ?? settings.ConnectionString;
        return settings;
    }

    /// <param name="configuration">The service's.</param>
    /// <param name="name">The connection's.</param>
    /// <exception cref="InvalidOperationException">No address is set, or a value is none of its kind.</exception>
    public static ConfigurationOptions ReadOptions(IConfiguration configuration, string name)
    {
        var connectionString = Read(configuration, name).ConnectionString;
        if (string.IsNullOrWhiteSpace(connectionString))
            throw new InvalidOperationException($"Set ConnectionStrings:{name} to the address of Redis, for example 127.0.0.1:6379.");
        var options = ConfigurationOptions.Parse(connectionString);
        options.AbortOnConnectFail = false;
        foreach (var section in Sections(configuration, name))
            section.GetSection("ConfigurationOptions").Bind(options);
        return options;
    }

    private static IEnumerable<IConfigurationSection> Sections(IConfiguration configuration, string name)
    {
        var general = configuration.GetSection(Section);
        return [general, general.GetSection(name)];
    }
}
