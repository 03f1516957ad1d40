using System.Net;
using Microsoft.Extensions.Configuration;
using StackExchange.Redis;

namespace NewarBots.ServiceDefaults;

/// <summary>
/// Connection settings of Redis, with the keys of Aspire's integration
/// (<see href="https://aspire.dev/integrations/caching/redis/"/>): <c>ConnectionStrings:{name}</c>, else <c>ConnectionString</c> in
/// <c>Aspire:StackExchange:Redis:{name}</c> or <c>Aspire:StackExchange:Redis</c>. The <c>ConfigurationOptions</c> in both sections override parts of it.
/// </summary>
public sealed class RedisSettings
{
    private const string Section = "Aspire:StackExchange:Redis";

    public string? ConnectionString { get; set; }

    /// <summary>Leaves Redis out of <c>/health</c>.</summary>
    public bool DisableHealthChecks { get; set; }

    internal static RedisSettings Read(IConfiguration configuration, string name)
    {
        var settings = new RedisSettings();
        foreach (var section in Sections(configuration, name))
            section.Bind(settings);
        settings.ConnectionString = configuration.GetConnectionString(name) ?? settings.ConnectionString;
        return settings;
    }

    /// <exception cref="InvalidSettingException">The address is missing or invalid.</exception>
    /// <exception cref="InvalidOperationException">A value is invalid.</exception>
    public static ConfigurationOptions ReadOptions(IConfiguration configuration, string name)
    {
        var connectionString = Read(configuration, name).ConnectionString;
        if (string.IsNullOrWhiteSpace(connectionString))
            throw new InvalidSettingException($"Set ConnectionStrings:{name} to the address of Redis, for example 127.0.0.1:6379.");
        var options = Parse(name, connectionString);
        options.AbortOnConnectFail = false;
        foreach (var section in Sections(configuration, name))
            section.GetSection("ConfigurationOptions").Bind(options);
        return options;
    }

    /// <summary>Whether the address is this machine's own. Names other than <c>localhost</c> are not resolved.</summary>
    public static bool IsLoopback(EndPoint endpoint) => endpoint switch
    {
        IPEndPoint ip => IPAddress.IsLoopback(ip.Address),
        DnsEndPoint dns => dns.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase),
        _ => false,
    };

    /// <summary>The error does not contain the connection string, because it may contain a password.</summary>
    private static ConfigurationOptions Parse(string name, string connectionString)
    {
        try
        {
            return ConfigurationOptions.Parse(connectionString);
        }
        catch (ArgumentException exception)
        {
            throw new InvalidSettingException($"ConnectionStrings:{name} must be the address of Redis and its options, for example 127.0.0.1:6379,password=x: {exception.Message}");
        }
    }

    private static IEnumerable<IConfigurationSection> Sections(IConfiguration configuration, string name)
    {
        var general = configuration.GetSection(Section);
        return [general, general.GetSection(name)];
    }
}
