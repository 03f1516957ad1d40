using System.Text.Json.Serialization;
using NewarBots.Contract;
using NewarBots.Manager.Bots;

namespace NewarBots.Manager.Recordings;

/// <summary>
/// Assembles one file for each single track that the recorder saved in addition to the mix. If a track fails, the recording is made
/// without it, and the manifest says so.
/// </summary>
internal sealed partial class TrackAssembler(AudioAssembler assembler, ILogger<TrackAssembler> logger)
{
    /// <param name="session">Its id.</param>
    /// <param name="folder">The session's folder. It is not changed.</param>
    /// <param name="work">Folder for the results and temporary files.</param>
    /// <param name="budget">The most that the recorder can have written.</param>
    /// <param name="doubts">About chunks that FFmpeg cannot decode.</param>
    /// <param name="cancellation">Leaves unfinished files in <paramref name="work"/>.</param>
    /// <exception cref="FFmpegMissingException">FFmpeg is not installed.</exception>
    /// <exception cref="IOException">The disk is full or unavailable.</exception>
    public async Task<IReadOnlyList<AssembledTrack>> AssembleAsync(
        SessionId session, SessionFolder folder, string work, RecordingBudget budget, Doubts doubts, CancellationToken cancellation)
    {
        var assembled = new List<AssembledTrack>();
        var (packets, silence, bytes) = (budget.PacketsOfTracks, budget.SilenceOfTracks, budget.BytesOfTracks);
        var chunksToKeep = budget.ChunksOfTracks;
        foreach (var (track, source) in folder.Tracks())
        {
            if (!source.HasAudio)
                continue;
            var chunks = source.Chunks().Where(chunk => chunk.Bytes is > 0 and <= ChunkFolder.MaxChunkBytes).ToList();
            // A track with less room than the session would have its late chunks in the wrong place.
            var isTooMany = assembled.Count >= RecordingBudget.MaxTracks || packets < budget.Packets || chunks.Sum(chunk => chunk.Bytes) > bytes;
            var part = new WorkPart(work, StorageLayout.TrackFolderName(track));
            var made = isTooMany ? null : await AssembleAsync(session, track, source, part, budget with { Silence = silence }, doubts, cancellation);
            if (made is null)
            {
                Log.TooMany(logger, source.Path);
                var kept = chunks.TakeWhile(chunk => --chunksToKeep >= 0 && (bytes -= chunk.Bytes) >= 0);
                assembled.Add(new(track, Audio: null, TrackProblem.TooMany) { Kept = [.. kept.Select(chunk => Path.GetFileName(chunk.Path))] });
                continue;
            }

            packets -= made.Audio?.Plan.Packets ?? 0;
            silence -= made.Audio?.Plan.SilentPackets ?? 0;
            bytes -= chunks.Sum(chunk => chunk.Bytes);
            assembled.Add(made);
        }

        return assembled;
    }

    /// <returns><see langword="null"/> if it needs more silence than all tracks may have.</returns>
    private async Task<AssembledTrack?> AssembleAsync(
        SessionId session, int track, ChunkFolder source, WorkPart work, RecordingBudget budget, Doubts doubts, CancellationToken cancellation)
    {
        using var part = BotTracing.StartPart("track finalize");
        part?.SetTag(BotTracing.TrackTag, track);
        try
        {
            Directory.CreateDirectory(work.Folder);
            var made = await assembler.AssembleAsync(session, source, SessionJournal.Empty, work, budget, doubts, cancellation);
            // A track in doubt is neither assembled nor lost.
            if (made.Audio is not null || made.IsInDoubt)
                return new(track, made.Audio, Problem: null);
            var problem = ProblemOf(made.Plan);
            Log.Unusable(logger, source.Path, problem);
            return new(track, Audio: null, problem) { Kept = [.. made.Plan.Damaged] };
        }
        catch (TooMuchSilenceException)
        {
            return null;
        }
        // If FFmpeg hangs on this track but did not on the mix, the track is at fault, and the recording must not fail.
        catch (Exception exception) when (exception is FinalizationException or FFmpegUnfinishedException { Hung: true })
        {
            part.Fail(exception);
            Log.Undecodable(logger, source.Path, exception.Message);
            return new(track, Audio: null, TrackProblem.Undecodable) { Kept = [.. budget.Within(source).Select(chunk => Path.GetFileName(chunk))] };
        }
    }

    /// <summary>The most frequent one, if no chunk of a track can be used.</summary>
    private static TrackProblem ProblemOf(ChunkManifest plan) =>
        plan.Ignored.Where(chunk => chunk.Why is not IgnoreReason.Empty).CountBy(chunk => chunk.Why)
            .OrderByDescending(reason => reason.Value).Select(reason => reason.Key).FirstOrDefault() switch
        {
            IgnoreReason.OtherSession => TrackProblem.OtherSession,
            IgnoreReason.TooBig => TrackProblem.TooBig,
            IgnoreReason.TooLong => TrackProblem.TooLong,
            _ => TrackProblem.Unreadable,
        };

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "No chunk in {Folder} can be used ({Problem}), the damaged ones are kept and the recording is made without this track")]
        public static partial void Unusable(ILogger logger, string folder, TrackProblem problem);

        [LoggerMessage(LogLevel.Warning, "{Folder} is beyond the limits of the session's tracks, its chunks are kept and the recording is made without it")]
        public static partial void TooMany(ILogger logger, string folder);

        [LoggerMessage(LogLevel.Error, "Assembling the chunks in {Folder} failed, they are kept and the recording is made without this track: {Error}")]
        public static partial void Undecodable(ILogger logger, string folder, string error);
    }
}

/// <param name="Track">Number of the track in the session.</param>
/// <param name="Audio">The assembled file; <see langword="null"/> if assembly failed.</param>
/// <param name="Problem">Reason for the failure.</param>
internal sealed record AssembledTrack(int Track, AssembledAudio? Audio, TrackProblem? Problem)
{
    /// <summary>Chunks that are not in a file, and are kept unchanged.</summary>
    public IReadOnlyList<string> Kept { get; init; } = [];
}

/// <summary>Reason why a track has no file. In snake_case in the manifest.</summary>
[JsonConverter(typeof(SnakeCaseEnumConverter<TrackProblem>))]
internal enum TrackProblem
{
    /// <summary>No chunk has a complete page of audio. They are kept.</summary>
    Unreadable,

    /// <summary>The chunks could not be assembled or decoded. They are kept.</summary>
    Undecodable,

    /// <summary>More tracks, or more audio in them, than are assembled. The chunks were not read. They are kept, as far as the session can have recorded them.</summary>
    TooMany,

    /// <summary>The tags of the chunks name another session. They are kept.</summary>
    OtherSession,

    /// <summary>The chunks are far larger than a recorder writes them, or more than the session can have recorded. They were not read.</summary>
    TooBig,

    /// <summary>The chunks end later than the session can have lasted. They are kept.</summary>
    TooLong,
}
