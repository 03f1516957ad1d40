using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace NewarBots.AppHost;

/// <summary>What the manager is told by parameters, checked before anything starts.</summary>
/// <param name="StoragePath">Absolute.</param>
/// <param name="AllowedMeetingHosts">Each <c>host</c> or <c>host:port</c>, with commas between.</param>
/// <param name="MaxConcurrentBots">A whole number, 1 or more.</param>
internal sealed record ManagerSettings(string StoragePath, string AllowedMeetingHosts, string MaxConcurrentBots)
{
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
        var storagePath = Of("storage-path", configuration["Storage:Path"] ?? "storage");
        if (storagePath.Trim().Length == 0)
            Wrong("storage-path", storagePath, "must name the folder for the recordings");
        else if (File.Exists(Path.GetFullPath(storagePath, root)))
            Wrong("storage-path", storagePath, "must be a folder, not a file");

        var ownHosts = configuration.GetSection("Meetings:AllowedHosts").GetChildren().Select(host => host.Value);
        var hosts = Of("allowed-meeting-hosts", string.Join(Comma, ownHosts.DefaultIfEmpty("meet.google.com")));
        if (HostsIn(hosts) is not { Count: > 0 } found || !found.All(IsHost))
            Wrong("allowed-meeting-hosts", hosts, "must be hosts with commas between, each as host or host:port");

        var maxBots = Of("max-concurrent-bots", configuration["Launching:MaxConcurrentBots"] ?? "50");
        if (!int.TryParse(maxBots, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number < 1)
            Wrong("max-concurrent-bots", maxBots, "must be a whole number, 1 or more");

        return faults.Count == 0
            ? new(Path.GetFullPath(storagePath, root), hosts, maxBots)
            : throw new InvalidParametersException(faults);

        string Of(string name, string otherwise) => configuration[$"Parameters:{name}"] ?? otherwise;

        void Wrong(string name, string value, string rule) => faults.Add($"Parameters:{name} {rule} (it is '{value}').");
    }

    public static IReadOnlyList<string> HostsIn(string list) =>
        list.Split(Comma, StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private static bool IsHost(string text) =>
        Uri.TryCreate($"https://{text}/", UriKind.Absolute, out var url)
        && url.Port > 0 && text.IndexOfAny(['/', '?', '#', '@', ' ']) < 0;
}

/// <summary>The message has a sentence for each wrong parameter, by its key.</summary>
internal sealed class InvalidParametersException(IEnumerable<string> faults) : Exception(string.Join(' ', faults));
