using NewarBots.Contract;
using NewarBots.Manager.Containers;

namespace NewarBots.Manager.Recordings;

/// <summary>
/// Checks what the assembling process reports, because the files that it reads may control it. The manager makes paths of its names, logs its texts, and
/// derives times and timeouts from its numbers. So every list is free of nulls, and every number is one that the process can have measured within the budget.
/// </summary>
internal sealed class AssemblyResultCheck(RecordingBudget budget)
{
    /// <summary>The process reports about ten steps for the mix, and a few for each track.</summary>
    private const int MaxSteps = 2000;

    /// <summary>Characters of a step's name.</summary>
    private const int MaxName = 100;

    /// <summary>Linux allows 255 bytes.</summary>
    private const int MaxFileName = 255;

    /// <summary>Characters of a limit's name, which users see.</summary>
    private const int MaxLimit = 40;

    /// <summary>Decoding and rounding add a packet or two.</summary>
    private const long Tolerance = ChunkFormat.PacketsPerSecond;

    /// <summary>Longer than any process may run.</summary>
    private static readonly TimeSpan LongestStep = TimeSpan.FromDays(100);

    private readonly long _packets = budget.Packets + Tolerance;
    private readonly double _seconds = ChunkManifest.Seconds(budget.Packets + Tolerance);

    /// <summary>A list that is missing is null.</summary>
    public bool Accepts(AssemblyResult result) =>
        result is { Warnings: not null, Steps: not null, Tracks: not null, Speakers: not null, Disagreements: not null, Others: not null }
        && result.Warnings.Count <= AssembleCommand.MaxWarnings
        && result.Warnings.All(warning => warning is { Length: <= AssembleCommand.MaxWarning })
        && result.Steps.Count <= MaxSteps
        && result.Steps.All(IsStep)
        && (result.Failure is null || IsFailure(result.Failure))
        && (result.Mix is null || IsAudio(result.Mix, AudioAssembler.FileName))
        && result.Tracks.Count <= StorageLayout.MaxTrack
        && result.Tracks.All(IsTrack)
        && result.Tracks.Select(track => track.Track).Distinct().Count() == result.Tracks.Count
        && result.Speakers.Count <= Speakers.Most
        && result.Speakers.All(IsSpeaker)
        && result.Disagreements.All(stretch => stretch is { Participants: >= 0 } && IsStretch(stretch.StartSeconds, stretch.EndSeconds))
        && result.Others.All(IsIgnored);

    private static bool IsStep(AssemblyStep step) =>
        step is { Id: not null, Name.Length: <= MaxName }
        && (step.Error?.Length ?? 0) <= AssembleCommand.MaxWarning
        && IsTime(step.StartedAt)
        && step.Took >= TimeSpan.Zero && step.Took <= LongestStep;

    private static bool IsFailure(AssemblyFailure failure) =>
        failure is { Message.Length: <= AssemblyFailure.MaxMessage, Limit.Length: <= MaxLimit, Suspects: not null } && failure.Suspects.All(file => file is not null);

    private bool IsTrack(AssembledTrack track) =>
        track is { Track: >= 1 and <= StorageLayout.MaxTrack, Kept: not null }
        && track.Kept.All(file => ChunkFormat.TryParseFileName(file, out _))
        && (track.Audio is null || IsAudio(track.Audio, Path.Combine(StorageLayout.TrackFolderName(track.Track), AudioAssembler.FileName)));

    private bool IsAudio(AssembledAudio audio, string file) =>
        audio is { Plan: { Pieces: not null, Gaps: not null, Ignored: not null } plan, Decoded: { Samples: >= 0, AudiblePackets: >= 0 } decoded }
        && audio.File == file
        && decoded.Samples <= _packets * ChunkFormat.SamplesPerPacket
        && decoded.AudiblePackets <= _packets
        && ArePieces(plan.Pieces)
        && plan.Gaps.All(gap => gap is { Cause: not null } && IsStretch(gap.StartSeconds, gap.EndSeconds))
        && plan.Ignored.All(ignored => IsIgnored(ignored) && ChunkFormat.TryParseFileName(ignored.File, out _));

    /// <summary>In order, without overlaps.</summary>
    private bool ArePieces(IReadOnlyList<Piece> pieces)
    {
        var end = 0L;
        foreach (var piece in pieces)
        {
            if (piece is null || piece.Range.First < end || piece.Range.First > _packets || piece.Range.Count < 0 || piece.Range.Count > _packets - piece.Range.First)
                return false;
            if (piece is Piece.OfChunk chunk && !IsChunk(chunk))
                return false;
            end = piece.Range.End;
        }

        return true;
    }

    private bool IsChunk(Piece.OfChunk piece) =>
        piece.Skip >= 0 && piece.Skip <= _packets
        && piece.Chunk is { Index: >= 0, Bytes: >= 0, Sha256: not null }
        && (piece.Chunk.StartedAt is not { } startedAt || IsTime(startedAt));

    private bool IsSpeaker(ManifestSpeaker speaker) =>
        speaker is { Source: not null, Segments: not null, SpokenSeconds: >= 0 }
        && speaker.SpokenSeconds <= _seconds
        && speaker.Segments.All(segment => segment is not null && IsStretch(segment.StartSeconds, segment.EndSeconds));

    private bool IsStretch(double start, double end) => start >= 0 && start <= end && end <= _seconds;

    /// <summary>Its name is one as <see cref="UntrustedFolder"/> shows it.</summary>
    private static bool IsIgnored(IgnoredFile ignored) =>
        ignored is { File.Length: <= MaxFileName, Bytes: null or >= 0 } && DisplayText.Clean(ignored.File, "\uFFFD") == ignored.File;

    /// <summary>Arithmetic with it cannot overflow.</summary>
    private static bool IsTime(DateTimeOffset time) => time.Year is > 1 and < 9999;
}
