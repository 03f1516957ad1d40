using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace NewarBots.AppHost;

/// <summary>All settings that the AppHost itself reads, validated before anything starts.</summary>
/// <param name="Addresses">Addresses and ports.</param>
/// <param name="Manager">Settings that the manager gets as parameters.</param>
/// <param name="StartTimeout">A start without progress for this long fails.</param>
internal sealed record AppHostSettings(Addresses Addresses, ManagerSettings Manager, TimeSpan StartTimeout)
{
    private const string StartTimeoutKey = "Start:Timeout";

    /// <summary>The speech server to start, if any.</summary>
    public Transcriber? Transcriber { get; init; }

    /// <param name="configuration">Configuration of the AppHost.</param>
    /// <param name="managerUrls">The environment variable <c>ASPNETCORE_URLS</c>.</param>
    /// <param name="root">The repository; relative paths start there.</param>
    /// <exception cref="InvalidSettingsException">The message names every invalid value.</exception>
    public static AppHostSettings Read(IConfiguration configuration, string? managerUrls, string root)
    {
        var faults = new List<string>();
        var settings = new AppHostSettings(
            Try(() => Addresses.Read(configuration, managerUrls)),
            Try(() => ManagerSettings.Read(configuration, root)),
            Try(() => ReadStartTimeout(configuration[StartTimeoutKey])))
        {
            Transcriber = Try(() => Transcriber.Read(configuration)),
        };
        return faults.Count == 0 ? settings : throw new InvalidSettingsException(faults);

        T Try<T>(Func<T> read)
        {
            try
            {
                return read();
            }
            catch (InvalidSettingsException exception)
            {
                faults.AddRange(exception.Faults);
                return default!;
            }
        }
    }

    /// <summary>The name of a setting as an environment variable.</summary>
    public static string NameOf(string key) => key.Replace(":", "__", StringComparison.Ordinal);

    /// <summary>Checks what only this machine knows: whether the ports are free and the storage folder can be written to.</summary>
    /// <param name="arePortsChosen">Whether the orchestrator chooses the ports.</param>
    /// <param name="isRedisStarted">Whether the AppHost starts Redis.</param>
    /// <exception cref="InvalidSettingsException">The message names every setting to change.</exception>
    public async Task CheckMachineAsync(bool arePortsChosen, bool isRedisStarted)
    {
        var faults = arePortsChosen ? [] : (await Addresses.FindTakenPortsAsync(isRedisStarted)).ToList();
        if (Manager.FindStorageFault() is { } fault)
            faults.Add(fault);
        if (faults.Count > 0)
            throw new InvalidSettingsException(faults);
    }

    private static TimeSpan ReadStartTimeout(string? text) =>
        TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var timeout) && timeout > TimeSpan.Zero
            ? timeout
            : throw new InvalidSettingsException([$"{NameOf(StartTimeoutKey)} must be a duration above zero as hours:minutes:seconds, for example 00:05:00 (it is '{text}')."]);
}
