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

    private const string StorageKey = "Storage:Path";

    private const UnixFileMode ModeOfStorage =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute;

    /// <summary>
    /// Reads each value from its parameter (<c>Parameters:max-concurrent-bots</c>, or <c>Parameters:max_concurrent_bots</c>, because shells
    /// accept no hyphen in a variable's name), else from the manager's setting (<c>Launching:MaxConcurrentBots</c>), else uses the default.
    /// </summary>
    /// <param name="configuration">Configuration of the AppHost.</param>
    /// <param name="root">The repository; relative paths start there.</param>
    /// <exception cref="InvalidSettingsException">The message names every invalid value.</exception>
    public static ManagerSettings Read(IConfiguration configuration, string root)
    {
        var faults = new List<string>();
        var storage = Value("storage-path", StorageKey, configuration[StorageKey] ?? "storage");
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
            ? new(Path.GetFullPath(storage.Value, root), hosts.Value, maxBots.Value, Value("manager-key", string.Empty, string.Empty).Value)
            : throw new InvalidSettingsException(faults);

        (string Key, string Value) Value(string name, string managerKey, string fallback)
        {
            var key = $"Parameters:{name}";
            var shellKey = key.Replace('-', '_');
            return configuration[key] is { } value ? (key, value)
                : configuration[shellKey] is { } shellValue ? (shellKey, shellValue)
                : (managerKey, fallback);
        }

        void Invalid((string Key, string Value) setting, string rule) => faults.Add($"{AppHostSettings.NameOf(setting.Key)} {rule} (it is '{setting.Value}').");
    }

    /// <summary>Creates the storage folder if it is missing, and writes an empty file to it for a moment.</summary>
    /// <returns><see langword="null"/> if that works, else one sentence.</returns>
    public string? FindStorageFault()
    {
        try
        {
            if (OperatingSystem.IsWindows())
                Directory.CreateDirectory(StoragePath);
            else
                Directory.CreateDirectory(StoragePath, ModeOfStorage);
            using var probe = new FileStream(Path.Combine(StoragePath, $".{Path.GetRandomFileName()}"), new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                Options = FileOptions.DeleteOnClose,
            });
            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return $"{AppHostSettings.NameOf(StorageKey)} must be a folder that this user can write to (it is '{StoragePath}': {exception.Message}).";
        }
    }

    public static IReadOnlyList<string> HostsIn(string list) =>
        list.Split(Comma, StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private static bool IsHost(string text) =>
        Uri.TryCreate($"https://{text}/", UriKind.Absolute, out var url)
        && url.Port > 0 && text.IndexOfAny(['/', '?', '#', '@', ' ']) < 0;
}
