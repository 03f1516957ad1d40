using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using NewarBots.Manager.Bots;

namespace NewarBots.Manager.Recordings;

/// <summary>Starts <see cref="AssembleCommand"/> with the limits of a bot's budget, and reads its result.</summary>
internal sealed partial class AssemblyProcess(ConfinedProcess processes, TimeProvider time, ILogger<AssemblyProcess> logger)
{
    private static readonly TimeSpan MeasuringInterval = TimeSpan.FromSeconds(1);

    private static readonly Dictionary<string, string> Environment = new()
    {
        ["DOTNET_GCHeapHardLimit"] = "0x18000000",
        ["DOTNET_gcConcurrent"] = "0",
        ["DOTNET_TieredPGO"] = "0",
        ["DOTNET_EnableDiagnostics"] = "0",
    };

    /// <param name="request">Its standard input.</param>
    /// <param name="session">The folder with the chunks, which nothing else reads or writes: the process becomes its owner.</param>
    /// <param name="work">The folder for the results.</param>
    /// <param name="cancellation">Kills the process and all that it started.</param>
    /// <returns>The result; never a failure.</returns>
    /// <exception cref="FinalizationException">The chunks cannot be assembled.</exception>
    /// <exception cref="FinalizationBudgetException">The process reached a limit.</exception>
    /// <exception cref="SecondOpinionException">FFmpeg cannot decode something, and a later attempt has to confirm it.</exception>
    /// <exception cref="FFmpegMissingException">FFmpeg, or a program that confines it, is missing.</exception>
    /// <exception cref="IOException">The disk is full or unavailable, or the process was killed.</exception>
    public async Task<AssemblyResult> RunAsync(AssemblyRequest request, SessionFolder session, WorkFolder work, CancellationToken cancellation)
    {
        using var user = ProcessUser.Take();
        session.GiveTo(user.User);
        work.GiveTo(user.User);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        AssemblyResult? output = null;
        FinalizationBudgetException? tooLong = null;
        var command = new ConfinedCommand(WorkerProgram.Command, request.Limits)
        {
            WorkingFolder = work.Root,
            Folder = session.Path,
            User = user,
            Request = JsonSerializer.Serialize(request, AssemblyJson.Default.AssemblyRequest),
            Output = ReadOutputAsync,
            Environment = Environment,
            MayReadAllFiles = WorkerProgram.IsClosedToOthers,
        };
        var measuring = MeasureAsync(work, request.Budget.BytesToWrite(hasTracks: !request.IsPart), stop);
        try
        {
            var end = await processes.RunAsync(command, stop.Token);
            return Result(request, session, end, output) is { Failure: null } result ? result : throw FailureOf(end, output, session, work).ToException();
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw tooLong ?? await measuring;
        }
        catch (Win32Exception exception)
        {
            throw new FFmpegMissingException($"The process that assembles recordings cannot be started: {exception.Message}", exception);
        }
        finally
        {
            await stop.CancelAsync();
        }

        async Task ReadOutputAsync(Stream stream, CancellationToken token)
        {
            try
            {
                output = await ReadAsync(stream, request.Budget, token);
            }
            catch (FinalizationBudgetException exception)
            {
                // The process waits for its output to be read, so it is killed.
                tooLong = exception;
                await stop.CancelAsync();
            }
        }
    }

    /// <summary>Logs and exports what the process reported.</summary>
    private AssemblyResult? Result(AssemblyRequest request, SessionFolder session, ProcessEnd end, AssemblyResult? result)
    {
        if (end.ExitCode != 0)
            return null;
        foreach (var warning in result?.Warnings ?? [])
            Log.Reported(logger, request.Session, ForLog(warning, session));
        var parts = new Dictionary<string, Activity>();
        foreach (var step in result?.Steps ?? [])
        {
            using var part = BotTracing.RecordPart(step.Name, step.Parent is { } parent ? parts.GetValueOrDefault(parent) : null, step.StartedAt, step.Took);
            if (part is null)
                continue;
            parts[step.Id] = part;
            if (step.Track is { } track)
                part.SetTag(BotTracing.TrackTag, track);
            if (step.Error is { } error)
                part.SetStatus(ActivityStatusCode.Error, error);
        }

        return result;
    }

    /// <summary>The process may be controlled by the files that it reads, so a full disk is believed only if the manager finds it, too.</summary>
    private static AssemblyFailure FailureOf(ProcessEnd end, AssemblyResult? output, SessionFolder session, WorkFolder work)
    {
        var failure = FailureOf(end, output);
        return failure with
        {
            Kind = failure.Kind is AssemblyFailureKind.StorageFull && !DiskProbe.IsFull(work.Root) ? AssemblyFailureKind.DiskError : failure.Kind,
            Message = ForLog(failure.Message, session),
        };
    }

    /// <summary>The process does not know the path of the folder.</summary>
    private static string ForLog(string text, SessionFolder session) => string.Concat(
        text.Replace(ConfinedCommand.FolderPath, session.Path, StringComparison.Ordinal).ReplaceLineEndings("\n").Where(character => character == '\n' || !char.IsControl(character)));

    private static AssemblyFailure FailureOf(ProcessEnd end, AssemblyResult? output) => FFmpegExit.Classify(end) switch
    {
        _ when end.TimedOut => new(AssemblyFailureKind.FFmpegHung, "Assembling the recording was stopped after its timeout."),
        FFmpegOutcome.Done when output?.Failure is { } failure => failure,
        FFmpegOutcome.CannotRun => new(AssemblyFailureKind.FFmpegMissing, $"The process that assembles recordings cannot be run: {end.Errors}"),
        FFmpegOutcome.TooMuchCpu => new(AssemblyFailureKind.OverBudget, end.Errors) { Limit = "CPU time" },
        FFmpegOutcome.TooManyBytes => new(AssemblyFailureKind.OverBudget, end.Errors) { Limit = "file size" },
        FFmpegOutcome.DiskFull => new(AssemblyFailureKind.StorageFull, end.Errors),
        FFmpegOutcome.Done => new(AssemblyFailureKind.NoResult, "The process that assembles recordings gave no plausible result."),
        _ => new(AssemblyFailureKind.FFmpegKilled, $"The process that assembles recordings ended with exit code {end.ExitCode}: {end.Errors}"),
    };

    /// <returns><see langword="null"/> if the process wrote no plausible result.</returns>
    /// <exception cref="FinalizationBudgetException">The result is too long.</exception>
    internal static async Task<AssemblyResult?> ReadAsync(Stream output, RecordingBudget budget, CancellationToken cancellation)
    {
        await using var limited = new ResultStream(output, budget.BytesOfResult);
        try
        {
            return await JsonSerializer.DeserializeAsync(limited, AssemblyJson.Default.AssemblyResult, cancellation) is { } result && new AssemblyResultCheck(budget).Accepts(result)
                ? result
                : null;
        }
        // No JSON, or a piece of an unknown type.
        catch (Exception exception) when (exception is JsonException or NotSupportedException or ArgumentException or InvalidOperationException)
        {
            await limited.CopyToAsync(Stream.Null, cancellation);
            return null;
        }
    }

    /// <summary>The kernel limits the length of each file, but not their number.</summary>
    private async Task<Exception> MeasureAsync(WorkFolder work, long maxBytes, CancellationTokenSource stop)
    {
        while (true)
        {
            await Task.Delay(MeasuringInterval, time, stop.Token);
            if (FindExcess(work, maxBytes) is not { } exception)
                continue;
            await stop.CancelAsync();
            return exception;
        }
    }

    /// <returns>Why the process must end; <see langword="null"/> if it may continue.</returns>
    internal static Exception? FindExcess(WorkFolder work, long maxBytes)
    {
        try
        {
            var bytes = work.Measure(out var isUnusual);
            return isUnusual ? new FinalizationBudgetException("files", $"Assembling the recording made more than {RecordingBudget.MaxFiles} files, or nested folders.")
                : bytes > maxBytes ? new FinalizationBudgetException("bytes written", $"Assembling the recording wrote more than {maxBytes} bytes.")
                : null;
        }
        catch (IOException exception)
        {
            // A process that cannot be measured has no limit.
            return exception;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Assembling the recording of bot {SessionId}: {Warning}")]
        public static partial void Reported(ILogger logger, string sessionId, string warning);
    }
}

/// <summary>How to start this program once more.</summary>
internal static class WorkerProgram
{
    private static readonly string Folder = Path.GetDirectoryName(typeof(AssembleCommand).Assembly.Location) is { Length: > 0 } folder ? folder : AppContext.BaseDirectory;

    private static readonly string Runtime = RuntimeEnvironment.GetRuntimeDirectory();

    /// <summary>The <c>dotnet</c> program of a shared runtime. A self-contained program has none.</summary>
    private static readonly string Muxer = Path.GetFullPath("../../../dotnet", Runtime);

    public static IReadOnlyList<string> Command { get; } = File.Exists(Muxer)
        ? [Muxer, Path.Combine(Folder, "NewarBots.Manager.dll"), AssembleCommand.Name]
        : [Path.Combine(Folder, "NewarBots.Manager"), AssembleCommand.Name];

    /// <summary>Other users cannot reach this program or its runtime, as in /root.</summary>
    public static bool IsClosedToOthers { get; } = !OperatingSystem.IsWindows() && (IsClosed(Folder) || IsClosed(Runtime));

    private static bool IsClosed(string folder)
    {
        for (var part = new DirectoryInfo(folder); part is not null; part = part.Parent)
        {
            if (!part.UnixFileMode.HasFlag(UnixFileMode.OtherExecute))
                return true;
        }

        return false;
    }
}
