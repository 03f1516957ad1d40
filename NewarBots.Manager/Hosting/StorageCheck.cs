using System.Globalization;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using NewarBots.Contract;

namespace NewarBots.Manager.Hosting;

/// <summary>
/// Whether the storage can take recordings: it has the minimum of free space, and a small file can be written and deleted. A storage that
/// does not respond counts as unavailable.
/// </summary>
internal sealed partial class StorageCheck(StorageLayout storage, IOptions<StorageOptions> options, TimeProvider time, ILogger<StorageCheck> logger)
{
    private static readonly TimeSpan ValidFor = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);

    private readonly Lock _lock = new();
    private Task<string?> _latest = Task.FromResult<string?>(null);
    private long? _checkedAt;

    /// <summary>The log has this outage. Checks do not overlap.</summary>
    private volatile bool _isReported;

    /// <returns>Why new recordings cannot be stored, as one sentence without paths; <see langword="null"/> if they can. At most five seconds old.</returns>
    public async Task<string?> FindFaultAsync(CancellationToken cancellation)
    {
        Task<string?> latest;
        lock (_lock)
        {
            // A check that hangs is not repeated, so that it cannot use up all threads.
            if (_latest.IsCompleted && (_checkedAt is not { } at || time.GetElapsedTime(at) >= ValidFor))
            {
                _latest = Task.Run(FindFault, CancellationToken.None);
                _checkedAt = time.GetTimestamp();
            }

            latest = _latest;
        }

        try
        {
            return await latest.WaitAsync(Timeout, cancellation);
        }
        catch (TimeoutException)
        {
            return "The storage does not respond.";
        }
    }

    private string? FindFault()
    {
        try
        {
            Directory.CreateDirectory(storage.Root);
            foreach (var folder in new[] { storage.Root, storage.FinalRoot }.Where(Directory.Exists))
                Write(folder);

            _isReported = false;
            var free = new DriveInfo(storage.Root).AvailableFreeSpace >> 20;
            return free >= options.Value.MinimumFreeMegabytes
                ? null
                : string.Create(
                    CultureInfo.InvariantCulture,
                    $"The storage has {free} MiB of free space, and the minimum is {options.Value.MinimumFreeMegabytes} MiB (Storage:MinimumFreeMegabytes).");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            if (!_isReported)
                Log.NotWritable(logger, storage.Root, exception.Message);
            _isReported = true;
            return exception.IsStorageFull() || exception.IsStorageReadOnly() ? Failures.Explain(exception) : "The storage cannot be written.";
        }
    }

    /// <exception cref="IOException">The disk is full or unavailable.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder is closed to the manager.</exception>
    private static void Write(string folder)
    {
        var path = Path.Combine(folder, $".write-check-{Path.GetRandomFileName()}");
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0, FileOptions.DeleteOnClose);
        file.Write(new byte[4096]);
        file.Flush(flushToDisk: true);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "The storage folder {Path} cannot be written, new bots are rejected until it can: {Error}")]
        public static partial void NotWritable(ILogger logger, string path, string error);
    }
}

/// <summary>Degraded while new recordings cannot be stored.</summary>
internal sealed class StorageHealthCheck(StorageCheck storage) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        await storage.FindFaultAsync(cancellationToken) is { } fault ? HealthCheckResult.Degraded(fault) : HealthCheckResult.Healthy();
}
