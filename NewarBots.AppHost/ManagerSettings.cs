using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace NewarBots.AppHost;

/// <summary>Settings that the manager gets as parameters, validated before anything starts.</summary>
/// <param name="StoragePath">Absolute path.</param>
/// <param name="AllowedMeetingHosts">Comma-separated, each as <c>host</c> or <c>host:port</c>.</param>
/// <param name="MaxConcurrentBots">An integer, 1 or more.</param>
/// <param name="ManagerKey">An admin key for the manager's API, required if the manager has keys; else empty.</param>
internal sealed record ManagerSettings(string StoragePath, string AllowedMeetingHosts, string MaxConcurrentBots, string ManagerKey)
{
    private const char Comma = ',';

    /// <summary>
    /// Reads each value from <c>Parameters:{name}</c>, else from the manager's setting (<c>Storage:Path</c>, <c>Meetings:AllowedHosts</c>,
    /// <c>Launching:MaxConcurrentBots</c>), else uses the default.
    /// </summary>
    /// <param name="configuration">Configuration of the AppHost.</param>
    /// <param name="root">The repository; relative paths start there.</param>
    /// <exception cref="InvalidParametersException">The message names every invalid value.</exception>
    public static ManagerSettings Read(IConfiguration configuration, string root)
    {
        var faults = new List<string>();
        var storage = Value("storage-path", "Storage:Path", configuration["Storage:Path"] ?? "storage");
        if (string.IsNullOrWhiteSpace(storage.Value))
            Invalid(storage, "must be the folder for the recordings");
        else if (File.Exists(Path.GetFullPath(storage.Value, root)))
            Invalid(storage, "must be a folder, not a file");

        var managerHosts = configuration.GetSection("Meetings:AllowedHosts").GetChildren().Select(host => host.Value);
        var hosts = Value("allowed-meeting-hosts", "Meetings:AllowedHosts", string.Join(Comma, managerHosts.DefaultIfEmpty("meet.google.com")));
        if (HostsIn(hosts.Value) is not { Count: > 0 } found || !found.All(IsHost))
            Invalid(hosts, "must be a comma-separated list of hosts, each as host or host:port");

        var maxBots = Value("max-concurrent-bots", "Launching:MaxConcurrentBots", configuration["Launching:MaxConcurrentBots"] ?? "50");
        if (!int.TryParse(maxBots.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number < 1)
            Invalid(maxBots, "must be an integer, 1 or more");

        return faults.Count == 0
            ? new(Path.GetFullPath(storage.Value, root), hosts.Value, maxBots.Value, configuration["Parameters:manager-key"] ?? string.Empty)
            : throw new InvalidParametersException(faults);

        (string Key, string Value) Value(string name, string managerKey, string fallback)
        {
            var key = $"Parameters:{name}";
            return configuration[key] is { } value ? (key, value) : (managerKey, fallback);
        }

        void Invalid((string Key, string Value) setting, string rule) => faults.Add($"{setting.Key} {rule} (it is '{setting.Value}').");
    }

    public static IReadOnlyList<string> HostsIn(string list) =>
        list.Split(Comma, StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private static bool IsHost(string text) =>
        Uri.TryCreate($"https://{text}/", UriKind.Absolute, out var url)
        && url.Port > 0 && text.IndexOfAny(['/', '?', '#', '@', ' ']) < 0;
}

/// <summary>The message contains one sentence per invalid setting, which begins with its key.</summary>
internal sealed class InvalidParametersException(IEnumerable<string> faults) : Exception(string.Join(' ', faults));
