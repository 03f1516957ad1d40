using NewarBots.Manager.Containers;
using NewarBots.Manager.Hosting;
using NewarBots.Manager.Recordings;

namespace NewarBots.Manager.Ending;

/// <summary>Tells a failure that one bot may have caused from an outage, by trying what failed in another way.</summary>
internal sealed class FailureDiagnosis(IRecorderRuntime runtime, StorageCheck storage, FFmpegVersion ffmpeg)
{
    /// <summary>
    /// A file that cannot be read or written is the bot's own failure only while the storage works. A missing FFmpeg, and a machine without memory or
    /// open files, are an outage only if FFmpeg cannot be run for anything else either: otherwise the bot's files may be the cause.
    /// </summary>
    public async Task<(FailureCause Cause, string Why)> CauseOfAsync(Exception exception, CancellationToken cancellation)
    {
        if (Failures.MayBeStorage(exception) && await storage.FindFaultAsync(cancellation) is { } fault)
            return (FailureCause.Storage, fault);
        var (cause, why) = await runtime.CauseOfAsync(exception, cancellation);
        if (cause is not (FailureCause.FFmpeg or FailureCause.Host) || !await FFmpegWorksAsync(cancellation))
            return (cause, why);
        return (FailureCause.Bot, cause is FailureCause.FFmpeg
            ? "FFmpeg cannot process the recorded audio, although it works otherwise."
            : $"{why} Other programs can be started, so the bot's files may be the cause.");
    }

    private async Task<bool> FFmpegWorksAsync(CancellationToken cancellation)
    {
        try
        {
            await ffmpeg.ReadAsync(cancellation);
            return true;
        }
        catch (Exception exception) when (exception is FFmpegMissingException or TimeoutException)
        {
            return false;
        }
    }
}
