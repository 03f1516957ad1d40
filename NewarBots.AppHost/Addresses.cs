using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;

namespace NewarBots.AppHost;

/// <summary>The addresses and ports that the AppHost needs, validated before anything starts. All of them can be set.</summary>
/// <param name="ManagerUrls">The user's <c>ASPNETCORE_URLS</c>; <see langword="null"/> for the manager's own default.</param>
/// <param name="ManagerAddresses">All addresses of the manager, in the user's order.</param>
/// <param name="Dashboard">The dashboard's address.</param>
/// <param name="Otlp">The dashboard's endpoint for telemetry.</param>
/// <param name="Resources">The AppHost's endpoint for the dashboard.</param>
/// <param name="RedisPort">Redis's port on this machine.</param>
internal sealed record Addresses(
    string? ManagerUrls, IReadOnlyList<BindingAddress> ManagerAddresses, BindingAddress Dashboard, BindingAddress Otlp, BindingAddress Resources, int RedisPort)
{
    public const string ManagerUrlsKey = "ASPNETCORE_URLS";
    public const string DashboardKey = "Dashboard:Url";
    public const string OtlpKey = "ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL";
    public const string ResourcesKey = "ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL";
    public const string RedisKey = "Redis:Port";

    private const string DefaultManager = "http://127.0.0.1:8082";

    /// <param name="configuration">Configuration of the AppHost.</param>
    /// <param name="managerUrls">The environment variable <c>ASPNETCORE_URLS</c>. Tools of Aspire set the same key in the configuration.</param>
    /// <exception cref="InvalidSettingsException">The message names every invalid value.</exception>
    public static Addresses Read(IConfiguration configuration, string? managerUrls)
    {
        var faults = new List<string>();
        var urls = managerUrls?.Split(';', StringSplitOptions.RemoveEmptyEntries) ?? [];
        var manager = urls.DefaultIfEmpty(DefaultManager).Select(url => Parse(ManagerUrlsKey, url)).ToList();
        var dashboard = Parse(DashboardKey, configuration[DashboardKey]);
        var otlp = Parse(OtlpKey, configuration[OtlpKey]);
        var resources = Parse(ResourcesKey, configuration[ResourcesKey]);
        if (!int.TryParse(configuration[RedisKey], NumberStyles.None, CultureInfo.InvariantCulture, out var redis) || redis is 0 or > IPEndPoint.MaxPort)
            faults.Add($"{AppHostSettings.NameOf(RedisKey)} must be a port, 1 to {IPEndPoint.MaxPort} (it is '{configuration[RedisKey]}').");
        return faults.Count == 0
            ? new(urls is [] ? null : managerUrls, manager!, dashboard!, otlp!, resources!, redis)
            : throw new InvalidSettingsException(faults);

        BindingAddress? Parse(string key, string? text)
        {
            try
            {
                if (BindingAddress.Parse(text ?? string.Empty) is { Scheme: "http", PathBase: "", IsUnixPipe: false, Port: > 0 and <= IPEndPoint.MaxPort } address && HasPort(address))
                    return address;
            }
            catch (FormatException)
            {
                // Reported below.
            }
            faults.Add($"{AppHostSettings.NameOf(key)} must be an http address with a port, for example http://127.0.0.1:8082 (it is '{text}').");
            return null;
        }
    }

    /// <summary>The parser takes a port that is no number for a part of the host.</summary>
    private static bool HasPort(BindingAddress address) => address.Host.StartsWith('[') || !address.Host.Contains(':', StringComparison.Ordinal);

    /// <summary>The address that the AppHost uses and prints.</summary>
    public BindingAddress Manager => ManagerAddresses[0];

    /// <summary>The container outlives the AppHost. AppHosts with different ports share nothing: two servers on one volume would destroy its data.</summary>
    public string RedisContainer => $"newarbots-redis-{RedisPort}";

    /// <summary>One sentence for each port that another program uses.</summary>
    /// <param name="isRedisStarted">Whether the AppHost starts Redis. Its container may already run, from an earlier AppHost.</param>
    public async Task<IReadOnlyList<string>> FindTakenPortsAsync(bool isRedisStarted)
    {
        var listening = IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Select(listener => listener.Port).ToHashSet();
        List<(string Program, string Key, int Port)> uses =
        [
            .. ManagerAddresses.Select(address => address.Port).Distinct().Select(port => ("The manager", ManagerUrlsKey, port)),
            ("The dashboard", DashboardKey, Dashboard.Port),
            ("The dashboard's telemetry", OtlpKey, Otlp.Port),
            ("The AppHost", ResourcesKey, Resources.Port),
        ];
        if (isRedisStarted && listening.Contains(RedisPort) && !await DockerEngine.MayRunAsync(RedisContainer, TimeProvider.System))
            uses.Add(("Redis", RedisKey, RedisPort));
        return
        [
            .. from use in uses
               where listening.Contains(use.Port)
               select $"{use.Program} needs port {use.Port}, but another program uses it. Stop that program, or set another port with {AppHostSettings.NameOf(use.Key)}.",
        ];
    }
}
