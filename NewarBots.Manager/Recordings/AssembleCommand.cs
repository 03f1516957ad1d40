using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.ServiceDefaults;

namespace NewarBots.Manager.Recordings;

/// <summary>
/// The hidden command <c>assemble</c>: a short-lived process in which the manager reads and assembles what a recorder wrote. The session
/// folder is open as <see cref="ConfinedCommand.FolderPath"/>, the work folder is the working folder, because paths to them may be closed to
/// this user. The request is a line of standard input, the result goes to standard output.
/// </summary>
internal static class AssembleCommand
{
    public const string Name = "assemble";

    /// <summary>Number of warnings in a result.</summary>
    public const int MaxWarnings = 100;

    /// <summary>Characters of a warning.</summary>
    public const int MaxWarning = 4000;

    /// <summary>The working folder. A relative path would become an absolute one.</summary>
    private const string WorkFolder = "/proc/self/cwd/.";

    /// <returns>The exit code. 0 means that there is a result, which may be a failure.</returns>
    public static async Task<int> RunAsync()
    {
        using var input = new StreamReader(Console.OpenStandardInput());
        if (await input.ReadLineAsync() is not { } line || JsonSerializer.Deserialize(line, AssemblyJson.Default.AssemblyRequest) is not { } request)
            return 1;
        var cancellation = EndWith(input);
        var warnings = new Warnings();
        using var steps = new Steps();
        AssemblyResult result;
        try
        {
            result = await AssembleAsync(request, warnings, cancellation);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            result = new() { Failure = AssemblyFailure.Of(exception) };
        }

        await using var output = Console.OpenStandardOutput();
        await JsonSerializer.SerializeAsync(output, result with { Warnings = warnings.All, Steps = steps.All }, AssemblyJson.Default.AssemblyResult, cancellation);
        return 0;
    }

    /// <summary>The manager ends standard input if it no longer needs the result, and when it dies.</summary>
    private static CancellationToken EndWith(StreamReader input)
    {
        var ended = new CancellationTokenSource();
        _ = Task.Run(async () =>
        {
            await input.ReadToEndAsync();
            await ended.CancelAsync();
        });
        return ended.Token;
    }

    private static async Task<AssemblyResult> AssembleAsync(AssemblyRequest request, Warnings warnings, CancellationToken cancellation)
    {
        var options = Options.Create(request.Options);
        var ffmpeg = new FFmpeg(options, new ConfinedProcess(TimeProvider.System, request.Limits), warnings.Of<FFmpeg>());
        var concatenator = new FFmpegConcatenator(ffmpeg);
        var id = SessionId.Parse(request.Session);
        var session = SessionFolder.Open(ConfinedCommand.FolderPath);
        if (request.IsPart)
            return await AssemblePartAsync(request, id, session, concatenator, cancellation);

        var assembler = new AudioAssembler(concatenator, new(ffmpeg), warnings.Of<AudioAssembler>());
        var journal = session.ReadJournal(id);
        var doubts = new Doubts(request.Suspects);
        var mix = (await assembler.AssembleAsync(id, session, journal, new(WorkFolder, ""), request.Budget, doubts, cancellation)).Audio;
        var tracks = mix is null && doubts.New.Count == 0
            ? []
            : await new TrackAssembler(assembler, warnings.Of<TrackAssembler>()).AssembleAsync(id, session, WorkFolder, request.Budget, doubts, cancellation);
        if (doubts.New.Count > 0)
        {
            var names = string.Join(", ", doubts.New.Take(5));
            return new()
            {
                Failure = new(AssemblyFailureKind.InDoubt, $"FFmpeg cannot decode {names}. Another attempt will decide.") { Suspects = doubts.New },
            };
        }

        var length = mix?.Decoded.Length.TotalSeconds ?? 0;
        var speakers = Speakers.Limit(Speakers.Of(journal.Speeches, length), length, out var isCut);
        return new()
        {
            Mix = mix,
            Tracks = [.. tracks.Select(track => track with { Audio = track.Audio is { } audio ? audio with { Plan = audio.Plan.WithoutIntactChunks() } : null })],
            Speakers = speakers,
            Disagreements = [.. journal.Disagreements.Where(stretch => stretch.StartSeconds < length).Select(stretch => stretch with { EndSeconds = Math.Min(stretch.EndSeconds, length) })],
            Others = [.. session.OtherEntries(), .. isCut || journal.IsCut ? (IgnoredFile[])[new(Journal.FileName, IgnoreReason.TooBig)] : []],
        };
    }

    /// <summary>The length is not verified.</summary>
    private static async Task<AssemblyResult> AssemblePartAsync(
        AssemblyRequest request, SessionId id, SessionFolder session, FFmpegConcatenator concatenator, CancellationToken cancellation)
    {
        var plan = ChunkManifest.Plan(
            id, session.Chunks().Select(chunk => ChunkReader.Read(chunk.Path, chunk.Index)), SessionJournal.Empty, request.Budget.Packets);
        if (plan.Pieces.Count == 0)
            return new();
        using var files = new PieceFiles(session, WorkFolder);
        await concatenator.ConcatenateAsync(files.Write(plan, cancellation), id, WorkFolder, AudioAssembler.FileName, cancellation);
        return new() { Mix = new(AudioAssembler.FileName, plan, default) };
    }

    /// <summary>Collects what is logged, as text.</summary>
    private sealed class Warnings
    {
        private readonly ConcurrentQueue<string> _all = new();

        public IReadOnlyList<string> All => [.. _all];

        public ILogger<T> Of<T>() => new Logger<T>(this);

        private sealed class Logger<T>(Warnings warnings) : ILogger<T>
        {
            public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

            public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

            public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
            {
                if (warnings._all.Count >= MaxWarnings)
                    return;
                var text = formatter(state, exception);
                warnings._all.Enqueue(text.Length > MaxWarning ? text[..MaxWarning] : text);
            }
        }
    }

    /// <summary>Collects the spans.</summary>
    private sealed class Steps : IDisposable
    {
        private readonly ConcurrentQueue<AssemblyStep> _all = new();
        private readonly ActivityListener _listener;

        public Steps()
        {
            _listener = new()
            {
                ShouldListenTo = source => source.Name == TelemetryNames.Manager,
                Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
                ActivityStopped = step => _all.Enqueue(new(
                    step.SpanId.ToHexString(),
                    step.ParentSpanId == default ? null : step.ParentSpanId.ToHexString(),
                    step.OperationName,
                    new DateTimeOffset(step.StartTimeUtc),
                    step.Duration,
                    Cut(step.StatusDescription),
                    step.GetTagItem(BotTracing.TrackTag) is { } track ? Convert.ToInt32(track, CultureInfo.InvariantCulture) : null)),
            };
            ActivitySource.AddActivityListener(_listener);
        }

        public IReadOnlyList<AssemblyStep> All => [.. _all.OrderBy(step => step.StartedAt)];

        public void Dispose() => _listener.Dispose();

        private static string? Cut(string? error) => error?.Length > MaxWarning ? error[..MaxWarning] : error;
    }
}
