using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace NewarBots.AppHost;

/// <summary>What the manager is told by parameters, checked before anything starts.</summary>
/// <param name="StoragePath">Absolute.</param>
/// <param name="AllowedMeetingHosts">Each <c>host</c> or <c>host:port</c>, with commas between.</param>
/// <param name="MaxConcurrentBots">A whole number, 1 or more.</param>
internal sealed record ManagerSettings(string StoragePath, string AllowedMeetingHosts, string MaxConcurrentBots)
{
    /// <summary>The AppHost's own: the key of an admin by which it asks the manager, where that has keys.</summary>
    public const string ManagerKey = "Parameters:manager-key";

    private const char Comma = ',';

    /// <summary>
    /// Each from <c>Parameters:{name}</c>, else from the manager's own setting (<c>Storage:Path</c>, <c>Meetings:AllowedHosts</c>,
    /// <c>Launching:MaxConcurrentBots</c>), else its default.
    /// </summary>
    /// <param name="configuration">The AppHost's.</param>
    /// <param name="root">The repository: relative paths count from there.</param>
    /// <exception cref="InvalidParametersException">Names every wrong one at once.</exception>
    public static ManagerSettings Read(IConfiguration configuration, string root)
    {
        var faults = new List<string>();
        var storage = Of("storage-path", "Storage:Path", configuration["Storage:Path"] ?? "storage");
        if (string.IsNullOrWhiteSpace(storage.Value))
            Wrong(storage, "must name the folder for the recordings");
        else if (File.Exists(Path.GetFullPath(storage.Value, root)))
            Wrong(storage, "must be a folder, not a file");

        var ownHosts = configuration.GetSection("Meetings:AllowedHosts").GetChildren().Select(host => host.Value);
        var hosts = Of("allowed-meeting-hosts", "Meetings:AllowedHosts", string.Join(Comma, ownHosts.DefaultIfEmpty("meet.google.com")));
        if (HostsIn(hosts.Value) is not { Count: > 0 } found || !found.All(IsHost))
            Wrong(hosts, "must be hosts with commas between, each as host or host:port");

        var maxBots = Of("max-concurrent-bots", "Launching:MaxConcurrentBots", configuration["Launching:MaxConcurrentBots"] ?? "50");
        if (!int.TryParse(maxBots.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number < 1)
            Wrong(maxBots, "must be a whole number, 1 or more");

        return faults.Count == 0
            ? new(Path.GetFullPath(storage.Value, root), hosts.Value, maxBots.Value)
            : throw new InvalidParametersException(faults);

        (string Key, string Value) Of(string name, string ownKey, string own)
        {
            var key = $"Parameters:{name}";
            return configuration[key] is { } value ? (key, value) : (ownKey, own);
        }

        void Wrong((string Key, string Value) setting, string rule) => faults.Add($"{setting.Key} {rule} (it is '{setting.Value}').");
    }

    public static IReadOnlyList<string> HostsIn(string list) =>
        list.Split(Comma, StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private static bool IsHost(string text) =>
        Uri.TryCreate($"https://{text}/", UriKind.Absolute, out var url)
        && url.Port > 0 && text.IndexOfAny(['/', '?', '#', '@', ' ']) < 0;
}

/// <summary>The message has a sentence for each wrong parameter, by its key.</summary>
internal sealed class InvalidParametersException(IEnumerable<string> faults) : Exception(string.Join(' ', faults));
