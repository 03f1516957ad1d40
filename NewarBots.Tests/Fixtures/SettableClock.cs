namespace NewarBots.Tests.Fixtures;

/// <summary>
/// Sets the wall clock of a single running process with libfaketime (Debian's package <c>faketime</c>). Timers and other processes are not
/// affected.
/// </summary>
internal sealed class SettableClock : IDisposable
{
    private readonly string _file = Path.GetTempFileName();

    public SettableClock() => Set(TimeSpan.Zero);

    /// <summary>Environment variables for the process.</summary>
    public (string Name, string Value)[] Environment =>
        [("LD_PRELOAD", Library()), ("FAKETIME_TIMESTAMP_FILE", _file), ("FAKETIME_NO_CACHE", "1"), ("FAKETIME_DONT_FAKE_MONOTONIC", "1"), ("FAKETIME_FORCE_MONOTONIC_FIX", "0")];

    /// <param name="ahead">Offset from the machine's clock; may be negative.</param>
    public void Set(TimeSpan ahead)
    {
        // Moved into place, so that a reader never sees a partial file.
        File.WriteAllText($"{_file}.new", $"{(ahead < TimeSpan.Zero ? '-' : '+')}{ahead.Duration().TotalSeconds:0}");
        File.Move($"{_file}.new", _file, overwrite: true);
    }

    public void Dispose() => File.Delete(_file);

    private static string Library() => Directory.EnumerateDirectories("/usr/lib", "*-linux-gnu*")
        .Select(folder => Path.Combine(folder, "faketime", "libfaketimeMT.so.1"))
        .FirstOrDefault(File.Exists) ?? throw new InvalidOperationException("libfaketime is missing: sudo apt-get install faketime");
}
