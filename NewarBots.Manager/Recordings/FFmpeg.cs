using System.ComponentModel;
using CliWrap;
using Microsoft.Extensions.Options;

namespace NewarBots.Manager.Recordings;

/// <summary>Runs FFmpeg. A run that hangs is killed and tried again once.</summary>
internal sealed partial class FFmpeg(IOptions<FinalizingOptions> options, TimeProvider time, ILogger<FFmpeg> logger)
{
    private const int Attempts = 2;

    /// <summary>Above it: 128 and the signal by which it was killed, or 255, when it heard one.</summary>
    private const int LastExitCodeOfItsOwn = 128;

    private string Program => options.Value.FFmpegPath;

    /// <param name="arguments">Behind those that every run has.</param>
    /// <param name="audio">How much audio it is about; its time is bounded accordingly.</param>
    /// <param name="output">Makes, for each attempt, what standard output goes to.</param>
    /// <param name="cancellation">Kills it.</param>
    /// <exception cref="FFmpegMissingException">It cannot be started.</exception>
    /// <exception cref="BadAudioException">It failed.</exception>
    /// <exception cref="FFmpegUnfinishedException">It hung twice, or somebody killed it.</exception>
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
                Log.KilledAndTriedAgain(logger, timeout, command.ToString());
            }
            catch (TimeoutException exception)
            {
                throw new FFmpegUnfinishedException($"{exception.Message} It was tried {Attempts} times.", hung: true, exception);
            }
        }
    }

    /// <returns>The first line of what it says about itself.</returns>
    /// <exception cref="FFmpegMissingException">It cannot be started.</exception>
    /// <exception cref="BadAudioException">It failed.</exception>
    /// <exception cref="TimeoutException">It hangs.</exception>
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
        using var patience = new CancellationTokenSource(timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, patience.Token);
        try
        {
            var result = await command.ExecuteAsync(either.Token);
            if (result.ExitCode == 0)
                return;
            var message = $"FFmpeg ended with exit code {result.ExitCode}: {errors}\nCommand: {command}";
            throw result.ExitCode > LastExitCodeOfItsOwn ? new FFmpegUnfinishedException(message, hung: false)
                : errors.Contain("No space left on device") || errors.Contain("Disk quota exceeded") ? new IOException(message)
                : new BadAudioException(message);
        }
        catch (OperationCanceledException exception) when (patience.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            throw new TimeoutException($"FFmpeg was killed after {timeout.TotalSeconds:0} s without an end: {errors}\nCommand: {command}", exception);
        }
        catch (Win32Exception exception)
        {
            throw new FFmpegMissingException(Program, exception);
        }
    }

    /// <summary>The end of what a program said; written by its pipe, read once it is over.</summary>
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

        public override string ToString() => _lines.Count == 0 ? "(it said nothing)" : string.Join('\n', _lines);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "FFmpeg did not end within {Timeout}, was killed and is tried again: {Command}")]
        public static partial void KilledAndTriedAgain(ILogger logger, TimeSpan timeout, string command);
    }
}
