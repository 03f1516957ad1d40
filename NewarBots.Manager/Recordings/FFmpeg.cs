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
    /// <exception cref="IOException">The disk is full, or the machine cannot start a process.</exception>
    public async Task RunAsync(FFmpegRun run, CancellationToken cancellation)
    {
        var command = Command([.. (string[])["-nostdin", "-nostats", "-hide_banner", "-loglevel", "warning"], .. run.Arguments], LimitsOf(run)) with
        {
            WorkingFolder = run.WorkingFolder,
            Input = run.Input,
            Output = run.Output?.ReadAsync,
            User = run.User,
        };
        for (var attempt = 1; ; attempt++)
        {
            var end = await RunAsync(command, cancellation);
            if (!end.TimedOut)
            {
                Check(await JudgeAsync(run, end, cancellation), command, end);
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

    /// <summary>
    /// Versions before 7 have one exit code for all errors. Their text may quote the file, so it only tells what to check: the disk, the length
    /// of the result, or whether FFmpeg can run at all.
    /// </summary>
    private async Task<FFmpegOutcome> JudgeAsync(FFmpegRun run, ProcessEnd end, CancellationToken cancellation)
    {
        var outcome = FFmpegExit.Classify(end);
        if (outcome is FFmpegOutcome.Done)
            return run.IsDone ? outcome : FFmpegOutcome.NoResult;
        if (outcome is FFmpegOutcome.DiskFull || (outcome is FFmpegOutcome.Failed && (Says("No space left on device") || Says("Disk quota exceeded"))))
            return run.FilledDisk ? FFmpegOutcome.DiskFull : FFmpegOutcome.Failed;
        if (outcome is FFmpegOutcome.Failed && Says("File too large") && run.ReachedLimit)
            return FFmpegOutcome.TooManyBytes;
        return outcome is FFmpegOutcome.Failed && Says("Cannot allocate memory") && !await WorksAsync(run, cancellation) ? FFmpegOutcome.Interrupted : outcome;

        bool Says(string text) => end.Errors.Contains(text, StringComparison.Ordinal);
    }

    /// <summary>Whether FFmpeg can process a second of silence, which no recorder wrote, under the same limits.</summary>
    private async Task<bool> WorksAsync(FFmpegRun run, CancellationToken cancellation)
    {
        string[] arguments = ["-nostdin", "-hide_banner", "-loglevel", "error", "-f", "s16le", "-ar", "48000", "-ac", "1", "-t", "1", "-i", "pipe:0", "-f", "null", "-"];
        var end = await RunAsync(Command(arguments, LimitsOf(run)) with { Input = "/dev/zero", User = run.User }, cancellation);
        return end is { TimedOut: false, ExitCode: 0 };
    }

    private void Check(FFmpegOutcome outcome, ConfinedCommand command, ProcessEnd end)
    {
        var message = $"FFmpeg failed with exit code {end.ExitCode}: {end.Errors}\nCommand: {command}";
        switch (outcome)
        {
            case FFmpegOutcome.Done:
                return;
            case FFmpegOutcome.NoResult:
                throw new FFmpegMissingException($"FFmpeg ('{Program}') does not work: it exited with code 0, but wrote nothing: {end.Errors}\nCommand: {command}");
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
        [LoggerMessage(LogLevel.Warning, "FFmpeg timed out, will retry once: {Timeout}")]
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

    /// <summary>Needed if it reads or writes files.</summary>
    public ProcessUser? User { get; init; }

    /// <summary>A file that FFmpeg reads as <c>pipe:0</c>.</summary>
    public string Input { get; init; } = "/dev/null";

    public FFmpegOutput? Output { get; init; }

    /// <summary>Name of the file that it writes into <see cref="WorkingFolder"/>; <see langword="null"/> if it writes to <see cref="Output"/>.</summary>
    public string? Target { get; init; }

    /// <summary>Whether there is a result. FFmpeg exited with code 0.</summary>
    public bool IsDone => Output?.HasResult() ?? TargetBytes > 0;

    /// <summary>It wrote a file, and the disk is full.</summary>
    public bool FilledDisk => Target is not null && DiskProbe.IsFull(WorkingFolder);

    /// <summary>Its file is as long as the kernel allows.</summary>
    public bool ReachedLimit => TargetBytes >= MaxOutputBytes;

    public long MaxOutputBytes => BytesOf(Audio);

    /// <summary>The longest file that FFmpeg may write for this much audio.</summary>
    public static long BytesOf(TimeSpan audio) => MaxHeaderBytes + (long)(audio.TotalSeconds * MaxBytesPerSecond);

    private long TargetBytes => Target is not null && new FileInfo(Path.Combine(WorkingFolder, Target)) is { Exists: true, Length: var bytes } ? bytes : 0;
}

/// <summary>Reads the standard output of FFmpeg.</summary>
/// <param name="ReadAsync">Called once per attempt.</param>
/// <param name="HasResult">Whether the last call has read a result. A broken FFmpeg exits with code 0 and writes nothing.</param>
internal sealed record FFmpegOutput(Func<Stream, CancellationToken, Task> ReadAsync, Func<bool> HasResult);

internal enum FFmpegOutcome
{
    Done,

    /// <summary>It reported success, but there is no result.</summary>
    NoResult,

    /// <summary>The program, one of its libraries or a tool that applies the limits is missing.</summary>
    CannotRun,

    TooMuchCpu,

    TooManyBytes,

    DiskFull,

    /// <summary>Killed, or the machine has no memory or processes left: no verdict on the audio.</summary>
    Interrupted,

    Failed,
}

/// <summary>
/// Tells apart why FFmpeg ended. From version 7 on it exits with the lowest byte of an error number, so that 183, 234 and 254 are ordinary
/// errors, while a signal ends it with 128 plus the signal's number.
/// </summary>
internal static class FFmpegExit
{
    /// <summary><c>timeout</c> itself failed: it could not fork.</summary>
    private const int NotForked = 125;

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

    public static FFmpegOutcome Classify(ProcessEnd end) => end.ExitCode switch
    {
        0 => FFmpegOutcome.Done,
        NotExecutable or NotFound => FFmpegOutcome.CannotRun,
        CpuLimit => FFmpegOutcome.TooMuchCpu,
        FileSizeLimit => FFmpegOutcome.TooManyBytes,
        NotForked or NoMemory or HandledSignal or HandledSignals or (>= FirstSignal and <= LastSignal) => FFmpegOutcome.Interrupted,
        NoSpace => FFmpegOutcome.DiskFull,
        _ => FFmpegOutcome.Failed,
    };
}

/// <summary>FFmpeg ran to its end, and reported or produced invalid audio. Or a chunk has changed since it was read.</summary>
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
internal sealed class FFmpegHealthCheck(FFmpegVersion version) : IHealthCheck
{

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            return HealthCheckResult.Healthy(await version.ReadAsync(cancellationToken));
        }
        catch (Exception exception) when (exception is FFmpegMissingException or TimeoutException)
        {
            return HealthCheckResult.Degraded(exception.Message, exception);
        }
    }
}

/// <summary>The version of FFmpeg, read at most every ten seconds, however many requests ask for the health.</summary>
internal sealed class FFmpegVersion(FFmpeg ffmpeg, TimeProvider time)
{
    private static readonly TimeSpan ValidFor = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private Task<string>? _latest;
    private long _readAt;

    /// <inheritdoc cref="FFmpeg.ReadVersionAsync"/>
    public async Task<string> ReadAsync(CancellationToken cancellation)
    {
        Task<string> latest;
        lock (_lock)
        {
            if (_latest is null || (_latest.IsCompleted && time.GetElapsedTime(_readAt) >= ValidFor))
            {
                // A caller that leaves does not cancel it for the others.
                _latest = ffmpeg.ReadVersionAsync(Timeout, CancellationToken.None);
                _readAt = time.GetTimestamp();
            }

            latest = _latest;
        }

        return await latest.WaitAsync(cancellation);
    }
}
