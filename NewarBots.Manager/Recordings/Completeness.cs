using System.Globalization;
using NewarBots.Contract;
using NewarBots.Manager.Bots;

namespace NewarBots.Manager.Recordings;

/// <summary>
/// The loss in a recording that a listener notices. This is the only definition of <c>complete</c> and <c>missingSeconds</c>. The manifest's gaps and
/// problems stay strict, down to a packet.
/// </summary>
/// <param name="MissingSeconds">Length of all gaps together; overlapping gaps count once. Rounded to hundredths.</param>
/// <param name="IsComplete">
/// At most <see cref="MaxMissing"/> in total and <see cref="MaxMissingAtOnce"/> at once are missing, the start and the end exist, and no
/// audio of unknown length was lost.
/// </param>
/// <param name="NotReceivedSeconds">The part of <paramref name="MissingSeconds"/> that the bot did not receive or could not capture, although it was in the call.</param>
internal sealed record Completeness(double MissingSeconds, bool IsComplete, double NotReceivedSeconds)
{
    /// <summary>In seconds.</summary>
    public const double MaxMissing = 1;

    /// <summary>In seconds. Gaps that touch or overlap are one.</summary>
    public const double MaxMissingAtOnce = 0.5;

    private const int MaxTextLength = 500;

    /// <summary>A recorder is untrusted and can report a gap of any length.</summary>
    private static readonly double LongestRecording = CreateBotRequest.MaxDuration.TotalSeconds + 3600;

    /// <param name="manifest">Its gaps, chunks and ignored files count.</param>
    /// <param name="endedCleanly"><see langword="false"/> if the recorder may have lost audio at the end without a trace.</param>
    public static Completeness Of(RecordingManifest manifest, bool endedCleanly)
    {
        var stretches = Merge(manifest.Gaps);
        var missing = Sum(stretches);
        var unheard = Sum(Merge(manifest.Gaps.Where(gap => gap.Cause is GapCause.NotHeard or GapCause.NetworkLost)));
        var isComplete = endedCleanly
            && missing <= MaxMissing
            && stretches.All(stretch => Math.Round(stretch.End - stretch.Start, 3) <= MaxMissingAtOnce)
            && !manifest.Gaps.Any(gap => IsLostChunk(gap) && (gap.StartSeconds <= 0 || gap.EndSeconds >= manifest.DurationSeconds))
            && !HasUnknownLoss(manifest);
        return new(missing, isComplete, unheard);
    }

    /// <returns>The length of all gaps together, as in <see cref="MissingSeconds"/>.</returns>
    public static double MissingSecondsOf(IEnumerable<Gap> gaps) => Sum(Merge(gaps));

    /// <param name="last">The recorder's latest warning while it recorded, if any.</param>
    /// <param name="durationSeconds">The recording's length.</param>
    /// <returns><see langword="null"/> if the bot heard everything, or missed too little to matter.</returns>
    public RecordingWarning? Warning(BotWarning? last, double durationSeconds)
    {
        if (last is null && (IsComplete || NotReceivedSeconds <= MaxMissingAtOnce))
            return null;
        var cause = last?.Text is { Length: > 0 } text
            ? text[..Math.Min(text.Length, MaxTextLength)]
            : "The bot received audio that it could not capture, or its connection to the call was lost.";
        return new(EndReason.NoAudio, string.Create(
            CultureInfo.InvariantCulture, $"{MissingSeconds:0.0} of {Math.Max(durationSeconds, MissingSeconds):0.0} s are missing. {cause}"));
    }

    /// <summary>Audio whose length no gap tells: unreadable files, a chunk without a known position, and a last chunk that breaks off.</summary>
    private static bool HasUnknownLoss(RecordingManifest manifest) =>
        manifest.Ignored.Any(file => file.Why is IgnoreReason.TooBig or IgnoreReason.TooLong or IgnoreReason.Unreadable or IgnoreReason.Undecodable)
        || manifest.Chunks.Any(chunk => chunk.Problem is ChunkProblem.PositionUnknown)
        || manifest.Chunks is [.., { Problem: ChunkProblem.TornTail or ChunkProblem.Damaged }];

    private static bool IsLostChunk(Gap gap) => gap.Cause is GapCause.ChunkMissing or GapCause.ChunkDamaged;

    private static double Sum(IEnumerable<(double Start, double End)> stretches) =>
        Math.Round(stretches.Sum(stretch => stretch.End - stretch.Start), 2);

    /// <summary>The union of the gaps as separate stretches, in order.</summary>
    private static List<(double Start, double End)> Merge(IEnumerable<Gap> gaps)
    {
        var stretches = new List<(double Start, double End)>();
        foreach (var gap in gaps.OrderBy(gap => gap.StartSeconds))
        {
            var start = Math.Clamp(gap.StartSeconds, 0, LongestRecording);
            var end = Math.Clamp(gap.EndSeconds, start, LongestRecording);
            if (stretches is [.., var last] && start <= last.End)
                stretches[^1] = (last.Start, Math.Max(last.End, end));
            else
                stretches.Add((start, end));
        }

        return stretches;
    }
}
