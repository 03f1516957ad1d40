using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using NewarBots.ServiceDefaults;
using NewarBots.Tests.Fixtures;
using StackExchange.Redis;

namespace NewarBots.Tests.Hosting;

/// <summary>The settings of Aspire's Redis integration.</summary>
public sealed class RedisSettingsTests(RedisServer redis) : IClassFixture<RedisServer>
{
    private const string Section = "Aspire:StackExchange:Redis";

    [Theory]
    [InlineData(Section)]
    [InlineData($"{Section}:redis")]
    public async Task Redis_is_configured_by_the_section_of_Aspire(string section)
    {
        await using var services = Services(
            ($"{section}:ConnectionString", redis.Configuration),
            ($"{section}:ConfigurationOptions:ClientName", "named"),
            ($"{section}:ConfigurationOptions:ConnectTimeout", "1234"));

        var connection = services.GetRequiredService<IConnectionMultiplexer>();

        Assert.Equal("named", (string?)await connection.GetDatabase().ExecuteAsync("CLIENT", "GETNAME"));
        Assert.Contains("connectTimeout=1234", connection.Configuration, StringComparison.Ordinal);
    }

    [Fact]
    public void Connection_string_overrides_the_named_section_which_overrides_the_general_one()
    {
        var settings = new List<(string, string)> { ($"{Section}:ConnectionString", "general:1") };
        Assert.Equal("general:1", Address(settings));
        settings.Add(($"{Section}:redis:ConnectionString", "named:2"));
        Assert.Equal("named:2", Address(settings));
        settings.Add(("ConnectionStrings:redis", "string:3"));
        Assert.Equal("string:3", Address(settings));

        static string Address(IEnumerable<(string, string)> settings) =>
            Assert.Single(RedisSettings.ReadOptions(Configuration([.. settings]), "redis").EndPoints).ToString()!.Split('/')[^1];
    }

    [Fact]
    public async Task Disabled_health_check_is_not_registered()
    {
        await using var without = Services(("ConnectionStrings:redis", redis.Configuration), ($"{Section}:DisableHealthChecks", "true"));
        await using var with = Services(("ConnectionStrings:redis", redis.Configuration));

        Assert.Empty(Checks(without));
        Assert.Equal(["redis"], Checks(with));

        static IEnumerable<string> Checks(IServiceProvider services) =>
            services.GetRequiredService<IOptions<HealthCheckServiceOptions>>().Value.Registrations.Select(check => check.Name);
    }

    [Fact]
    public void Invalid_value_is_reported_with_its_key()
    {
        var wrong = Assert.Throws<InvalidOperationException>(() => RedisSettings.ReadOptions(
            Configuration(("ConnectionStrings:redis", "127.0.0.1"), ($"{Section}:ConfigurationOptions:ConnectTimeout", "soon")), "redis"));

        Assert.Contains($"{Section}:ConfigurationOptions:ConnectTimeout", wrong.Message, StringComparison.Ordinal);
    }

    private static ServiceProvider Services(params (string Key, string Value)[] settings)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.Configuration.AddConfiguration(Configuration(settings));
        builder.AddRedis("redis");
        return builder.Services.BuildServiceProvider();
    }

    private static IConfiguration Configuration(params (string Key, string Value)[] settings) => new ConfigurationBuilder()
        .AddInMemoryCollection(settings.ToDictionary(setting => setting.Key, string? (setting) => setting.Value))
        .Build();
}
