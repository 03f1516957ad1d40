using System.ComponentModel;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using NewarBots.Manager.Hosting;

namespace NewarBots.Manager.Recordings;

/// <summary>Runs FFmpeg with limits and without privileges. A run that times out is killed and retried once.</summary>
internal sealed partial class FFmpeg(IOptions<FinalizingOptions> options, ConfinedProcess processes, ILogger<FFmpeg> logger)
{
    private const int Attempts = 2;

    private string Program => options.Value.FFmpegPath;

    /// <summary>
    /// The arguments that open an input. A file cannot make FFmpeg open other protocols than files and pipes, nor
    /// run other demuxers or decoders.
    /// </summary>
    /// <param name="demuxers">Names of the demuxers that the input needs.</param>
    /// <param name="address"><c>file:</c> and a path, or <c>pipe:0</c>.</param>
    public static IEnumerable<string> Input(string demuxers, string address) =>
        ["-protocol_whitelist", "file,pipe", "-format_whitelist", demuxers, "-codec_whitelist", "opus,libopus", "-i", address];

    /// <exception cref="FFmpegMissingException">FFmpeg cannot be started.</exception>
    /// <exception cref="BadAudioException">FFmpeg failed.</exception>
    /// <exception cref="FinalizationBudgetException">FFmpeg reached a limit.</exception>
    /// <exception cref="FFmpegUnfinishedException">FFmpeg timed out twice, was killed, or had no memory.</exception>
    /// <exception cref="IOException">The disk is full.</exception>
    public async Task RunAsync(FFmpegRun run, CancellationToken cancellation)
    {
        var command = Command([.. (string[])["-nostdin", "-nostats", "-hide_banner", "-loglevel", "warning"], .. run.Arguments], LimitsOf(run)) with
        {
            WorkingFolder = run.WorkingFolder,
            Input = run.Input,
            Output = run.Output,
        };
        for (var attempt = 1; ; attempt++)
        {
            var end = await RunAsync(command, cancellation);
            if (!end.TimedOut)
            {
                Check(run, command, end);
                return;
            }

            var timeout = $"FFmpeg was killed after a timeout of {command.Limits.Timeout.TotalSeconds:0} s: {end.Errors}\nCommand: {command}";
            if (attempt == Attempts)
                throw new FFmpegUnfinishedException($"{timeout}\nGave up after {Attempts} attempts.", hung: true);
            Log.WillRetry(logger, timeout);
        }
    }

    /// <returns>The first line of <c>ffmpeg -version</c>.</returns>
    /// <exception cref="FFmpegMissingException">FFmpeg cannot be started, or prints no version.</exception>
    /// <exception cref="TimeoutException">FFmpeg did not exit in time.</exception>
    public async Task<string> ReadVersionAsync(TimeSpan timeout, CancellationToken cancellation)
    {
        string? version = null;
        var command = Command(["-version"], new(timeout, timeout, FileBytes: 0)) with
        {
            Output = async (output, token) =>
            {
                using var reader = new StreamReader(output);
                version = await reader.ReadLineAsync(token);
                await output.CopyToAsync(Stream.Null, token);
            },
        };
        var end = await RunAsync(command, cancellation);
        if (end.TimedOut)
            throw new TimeoutException($"FFmpeg was killed after a timeout of {timeout.TotalSeconds:0} s: {end.Errors}");
        return end.ExitCode == 0 && !string.IsNullOrWhiteSpace(version) ? version : throw Missing(end);
    }

    private ConfinedCommand Command(IEnumerable<string> arguments, ProcessLimits limits) => new([Program, .. arguments], limits);

    private async Task<ProcessEnd> RunAsync(ConfinedCommand command, CancellationToken cancellation)
    {
        try
        {
            return await processes.RunAsync(command, cancellation);
        }
        catch (Win32Exception exception)
        {
            throw FFmpegMissingException.Of(Program, exception.Message, exception);
        }
    }

    private ProcessLimits LimitsOf(FFmpegRun run)
    {
        var timeout = options.Value.TimeoutFor(run.Audio);
        return new(timeout, timeout > FFmpegRun.LeastCpu ? timeout : FFmpegRun.LeastCpu, run.MaxOutputBytes);
    }

    private void Check(FFmpegRun run, ConfinedCommand command, ProcessEnd end)
    {
        var message = $"FFmpeg failed with exit code {end.ExitCode}: {end.Errors}\nCommand: {command}";
        switch (FFmpegExit.Classify(end))
        {
            case FFmpegOutcome.Done when run.IsDone():
                return;
            case FFmpegOutcome.Done:
                throw FFmpegMissingException.Of(Program, $"It exited with code 0, but wrote nothing: {end.Errors}");
            case FFmpegOutcome.CannotRun:
                throw Missing(end);
            case FFmpegOutcome.TooMuchCpu:
                throw new FinalizationBudgetException("CPU time", message);
            case FFmpegOutcome.TooManyBytes:
                throw new FinalizationBudgetException("file size", message);
            case FFmpegOutcome.DiskFull:
                throw new StorageFullException(message);
            case FFmpegOutcome.Interrupted:
                throw new FFmpegUnfinishedException(message, hung: false);
            default:
                throw new BadAudioException(message);
        }
    }

    private FFmpegMissingException Missing(ProcessEnd end) => FFmpegMissingException.Of(Program, $"It exited with code {end.ExitCode}: {end.Errors}");

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Will retry. {Timeout}")]
        public static partial void WillRetry(ILogger logger, string timeout);
    }
}

/// <summary>One run of FFmpeg.</summary>
/// <param name="Arguments">Appended to the arguments that every run has.</param>
/// <param name="Audio">Length of the audio, which determines the limits.</param>
internal sealed record FFmpegRun(IReadOnlyList<string> Arguments, TimeSpan Audio)
{
    /// <summary>A run that takes no longer is never killed because of its CPU time.</summary>
    public static readonly TimeSpan LeastCpu = TimeSpan.FromSeconds(10);

    /// <summary>More than 16-bit samples need.</summary>
    private const long MaxBytesPerSecond = 100_000;

    private const long MaxHeaderBytes = 4 * 1024 * 1024;

    /// <summary>Relative paths in the arguments start here.</summary>
    public string WorkingFolder { get; init; } = "/";

    /// <summary>A file that FFmpeg reads as <c>pipe:0</c>.</summary>
    public string Input { get; init; } = "/dev/null";

    /// <summary>Reads standard output. Called once per attempt.</summary>
    public Func<Stream, CancellationToken, Task>? Output { get; init; }

    /// <summary>Whether there is a result. FFmpeg exited with code 0.</summary>
    public required Func<bool> IsDone { get; init; }

    public long MaxOutputBytes => BytesOf(Audio);

    /// <summary>The longest file that FFmpeg may write for this much audio.</summary>
    public static long BytesOf(TimeSpan audio) => MaxHeaderBytes + (long)(audio.TotalSeconds * MaxBytesPerSecond);

    /// <summary>Whether a file has content.</summary>
    public static Func<bool> Wrote(string path) => () => new FileInfo(path) is { Exists: true, Length: > 0 };
}

internal enum FFmpegOutcome
{
    Done,

    /// <summary>The program, one of its libraries or a tool that applies the limits is missing.</summary>
    CannotRun,

    TooMuchCpu,

    TooManyBytes,

    DiskFull,

    /// <summary>Killed, or without memory: no verdict on the audio.</summary>
    Interrupted,

    Failed,
}

/// <summary>
/// Tells apart why FFmpeg ended. From version 7 on it exits with the lowest byte of an error number, so that 183, 234 and 254 are ordinary
/// errors, while a signal ends it with 128 plus the signal's number.
/// </summary>
internal static class FFmpegExit
{
    private const int NotExecutable = 126;
    private const int NotFound = 127;
    private const int FirstSignal = 128 + 1;
    private const int LastSignal = 128 + 31;
    private const int CpuLimit = 128 + 24;
    private const int FileSizeLimit = 128 + 25;

    /// <summary>FFmpeg's own codes after one signal that it handled, and after several.</summary>
    private const int HandledSignal = 255;
    private const int HandledSignals = 123;

    /// <summary>FFmpeg 7: ENOMEM (12) and ENOSPC (28).</summary>
    private const int NoMemory = 256 - 12;
    private const int NoSpace = 256 - 28;

    public static FFmpegOutcome Classify(ProcessEnd end)
    {
        return end.ExitCode switch
        {
            0 => FFmpegOutcome.Done,
            NotExecutable or NotFound => FFmpegOutcome.CannotRun,
            CpuLimit => FFmpegOutcome.TooMuchCpu,
            FileSizeLimit => FFmpegOutcome.TooManyBytes,
            NoMemory or HandledSignal or HandledSignals or (>= FirstSignal and <= LastSignal) => FFmpegOutcome.Interrupted,
            NoSpace => FFmpegOutcome.DiskFull,
            _ when Says("No space left on device") || Says("Disk quota exceeded") => FFmpegOutcome.DiskFull,
            _ when Says("File too large") => FFmpegOutcome.TooManyBytes,
            _ when Says("Cannot allocate memory") => FFmpegOutcome.Interrupted,
            _ => FFmpegOutcome.Failed,
        };

        bool Says(string text) => end.Errors.Contains(text, StringComparison.Ordinal);
    }
}

/// <summary>FFmpeg ran to its end, and reported or produced invalid audio.</summary>
internal sealed class BadAudioException(string message) : FinalizationException(message)
{
    public override string Explanation => "FFmpeg rejected the recorded audio.";
}

/// <summary>FFmpeg, or a program that confines it, is missing or broken. The chunks are kept, and finalization is retried.</summary>
internal sealed class FFmpegMissingException(string message, Exception? inner = null) : Exception(message, inner), IExplainedFailure
{
    public static FFmpegMissingException Of(string path, string error, Exception? inner = null) =>
        new($"FFmpeg cannot be run as '{path}': install it and the util-linux programs prlimit and setpriv, or set Finalizing:FFmpegPath. {error}", inner);

    public FailureCause Cause => FailureCause.FFmpeg;

    public string Explanation => "FFmpeg is missing or cannot be started on the manager's machine.";
}

/// <summary>
/// FFmpeg was killed or timed out, for example because the machine is short of memory. This says nothing about the audio: the chunks
/// are kept, and finalization is retried later.
/// </summary>
internal class FFmpegUnfinishedException(string message, bool hung, Exception? inner = null) : IOException(message, inner), IExplainedFailure
{
    public FailureCause Cause => FailureCause.Bot;

    public virtual string Explanation => "FFmpeg was killed or timed out.";

    /// <summary>Every attempt timed out.</summary>
    public bool Hung => hung;
}

/// <summary>Reports whether FFmpeg can be run. Degraded at worst, since only finalization needs it.</summary>
internal sealed class FFmpegHealthCheck(FFmpeg ffmpeg) : IHealthCheck
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            return HealthCheckResult.Healthy(await ffmpeg.ReadVersionAsync(Timeout, cancellationToken));
        }
        catch (Exception exception) when (exception is FFmpegMissingException or TimeoutException)
        {
            return HealthCheckResult.Degraded(exception.Message, exception);
        }
    }
}
