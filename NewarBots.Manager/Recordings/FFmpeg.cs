using System.ComponentModel;
using CliWrap;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using NewarBots.Manager.Hosting;

namespace NewarBots.Manager.Recordings;

/// <summary>Runs FFmpeg. A run that times out is killed and retried once.</summary>
internal sealed partial class FFmpeg(IOptions<FinalizingOptions> options, TimeProvider time, ILogger<FFmpeg> logger)
{
    private const int Attempts = 2;

    /// <summary>Higher exit codes mean that a signal ended it: 128 plus the signal's number, or 255 if FFmpeg handled the signal.</summary>
    private const int HighestExitCodeWithoutSignal = 128;

    private string Program => options.Value.FFmpegPath;

    /// <param name="arguments">Appended to the arguments that every run has.</param>
    /// <param name="audio">Length of the audio, which determines the timeout.</param>
    /// <param name="output">Creates the target of standard output, once per attempt.</param>
    /// <param name="cancellation">Kills FFmpeg.</param>
    /// <exception cref="FFmpegMissingException">FFmpeg cannot be started.</exception>
    /// <exception cref="BadAudioException">FFmpeg failed.</exception>
    /// <exception cref="FFmpegUnfinishedException">FFmpeg timed out twice, or was killed.</exception>
    /// <exception cref="IOException">The disk is full.</exception>
    public async Task RunAsync(
        IReadOnlyList<string> arguments, TimeSpan audio, Func<PipeTarget> output, CancellationToken cancellation)
    {
        var timeout = options.Value.TimeoutFor(audio);
        for (var attempt = 1; ; attempt++)
        {
            var errors = new LastLines();
            var command = Cli.Wrap(Program)
                .WithArguments(["-nostdin", "-nostats", "-hide_banner", "-loglevel", "warning", .. arguments])
                .WithStandardOutputPipe(output())
                .WithStandardErrorPipe(PipeTarget.ToDelegate(errors.Add))
                .WithValidation(CommandResultValidation.None);
            try
            {
                await RunAsync(command, errors, timeout, cancellation);
                return;
            }
            catch (TimeoutException) when (attempt < Attempts)
            {
                Log.WillRetry(logger, timeout, command.ToString());
            }
            catch (TimeoutException exception)
            {
                throw new FFmpegUnfinishedException($"{exception.Message}\nGave up after {Attempts} attempts.", hung: true, exception);
            }
        }
    }

    /// <returns>The first line of <c>ffmpeg -version</c>.</returns>
    /// <exception cref="FFmpegMissingException">FFmpeg cannot be started.</exception>
    /// <exception cref="BadAudioException">FFmpeg failed.</exception>
    /// <exception cref="TimeoutException">FFmpeg did not exit in time.</exception>
    public async Task<string> ReadVersionAsync(TimeSpan timeout, CancellationToken cancellation)
    {
        string? version = null;
        var command = Cli.Wrap(Program)
            .WithArguments(["-version"])
            .WithStandardOutputPipe(PipeTarget.ToDelegate(line => version ??= line))
            .WithValidation(CommandResultValidation.None);
        await RunAsync(command, new LastLines(), timeout, cancellation);
        return version ?? string.Empty;
    }

    private async Task RunAsync(Command command, LastLines errors, TimeSpan timeout, CancellationToken cancellation)
    {
        using var expiry = new CancellationTokenSource(timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, expiry.Token);
        try
        {
            var result = await command.ExecuteAsync(either.Token);
            if (result.ExitCode == 0)
                return;
            var message = $"FFmpeg failed with exit code {result.ExitCode}: {errors}\nCommand: {command}";
            throw result.ExitCode > HighestExitCodeWithoutSignal ? new FFmpegUnfinishedException(message, hung: false)
                : errors.Contain("No space left on device") || errors.Contain("Disk quota exceeded") ? new StorageFullException(message)
                : new BadAudioException(message);
        }
        catch (OperationCanceledException exception) when (expiry.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            throw new TimeoutException($"FFmpeg was killed after a timeout of {timeout.TotalSeconds:0} s: {errors}\nCommand: {command}", exception);
        }
        catch (Win32Exception exception)
        {
            throw new FFmpegMissingException(Program, exception);
        }
    }

    /// <summary>The last lines of standard error. Not thread-safe: read only after the program has exited.</summary>
    private sealed class LastLines
    {
        private const int Kept = 10;
        private readonly Queue<string> _lines = new();

        public void Add(string line)
        {
            _lines.Enqueue(line);
            if (_lines.Count > Kept)
                _lines.Dequeue();
        }

        public bool Contain(string text) => _lines.Any(line => line.Contains(text, StringComparison.Ordinal));

        public override string ToString() => _lines.Count == 0 ? "(no output)" : string.Join('\n', _lines);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "FFmpeg was killed after a timeout of {Timeout}, will retry: {Command}")]
        public static partial void WillRetry(ILogger logger, TimeSpan timeout, string command);
    }
}

/// <summary>FFmpeg ran to its end, and reported or produced invalid audio.</summary>
internal sealed class BadAudioException(string message) : FinalizationException(message)
{
    public override string Explanation => "FFmpeg rejected the recorded audio.";
}

/// <summary>FFmpeg is not installed. The chunks are kept, and finalization is retried.</summary>
internal sealed class FFmpegMissingException(string path, Exception? inner = null)
    : Exception($"FFmpeg cannot be run as '{path}': install it, or set Finalizing:FFmpegPath.", inner), IExplainedFailure
{
    public FailureCause Cause => FailureCause.FFmpeg;

    public string Explanation => "FFmpeg is missing or cannot be started on the manager's machine.";
}

/// <summary>
/// FFmpeg was killed or timed out, for example because the machine is short of memory. This says nothing about the audio: the chunks
/// are kept, and finalization is retried later.
/// </summary>
internal sealed class FFmpegUnfinishedException(string message, bool hung, Exception? inner = null) : IOException(message, inner), IExplainedFailure
{
    public FailureCause Cause => FailureCause.Bot;

    public string Explanation => "FFmpeg was killed or timed out.";

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
        catch (Exception exception) when (exception is FFmpegMissingException or FinalizationException or TimeoutException)
        {
            return HealthCheckResult.Degraded(exception.Message, exception);
        }
    }
}
