using NewarBots.Contract;

namespace NewarBots.Recorder.Recording;

/// <summary>The extent of a session's time line. Packet n holds the 20 ms from <c>Start + n * 20 ms</c>.</summary>
/// <param name="Start">Wall-clock time of the first sample.</param>
/// <param name="Packets">Its length.</param>
/// <param name="Chunks">The number of chunks that hold it.</param>
internal readonly record struct TimeLinePosition(DateTimeOffset Start, long Packets = 0, int Chunks = 0)
{
    public static TimeSpan PacketLength { get; } = TimeSpan.FromSeconds(1) / ChunkFormat.PacketsPerSecond;

    public DateTimeOffset At(long packet) => Start + (packet * PacketLength);

    public long PacketAt(DateTimeOffset at) => (long)Math.Round((at - Start) / PacketLength);

    public static double Seconds(long packets) => (double)packets / ChunkFormat.PacketsPerSecond;
}

/// <summary>
/// Places every captured packet on the session's time line, which is wall-clock time. Missing audio becomes a named gap of its length.
/// No packet is placed twice, and no packet moves once it is placed.
/// </summary>
internal sealed class TimeLine(TimeLinePosition position)
{
    /// <summary>In packets. A recording may end this much early: the last sound is heard before its packet is complete.</summary>
    private const long MaxLag = ChunkFormat.PacketsPerSecond / 10;

    private readonly HashSet<string> _retired = [];
    private string? _capture;
    private int _browser;
    private long _captureBegins;

    public long Packets { get; private set; } = position.Packets;

    /// <param name="batch">The next batch.</param>
    /// <param name="causeOfRestart">Why the latest browser was replaced.</param>
    /// <returns>How to write this batch: first the silence, then its packets except the skipped ones.</returns>
    public Placement Place(CapturedBatch batch, string causeOfRestart = GapCause.BrowserRestarted)
    {
        // Late packets of an earlier capture have no place: the time line has continued without them.
        if (_retired.Contains(batch.Capture))
            return new(Silence: 0, Skip: batch.Packets.Count, Gaps: [], CaptureBegins: null);
        var cause = GapCause.PacketsLost;
        if (batch.Capture != _capture)
        {
            if (_capture is not null)
                _retired.Add(_capture);
            cause = batch.Browser != _browser ? causeOfRestart : GapCause.CaptureRestarted;
            (_capture, _browser) = (batch.Capture, batch.Browser);
            // A clock that was set back must not overwrite earlier packets.
            _captureBegins = Math.Max(Packets, position.PacketAt(batch.StartedAt));
        }

        var first = _captureBegins + batch.FirstPacket;
        var silence = Math.Max(0, first - Packets);
        var skip = (int)Math.Clamp(Packets - first, 0, batch.Packets.Count);
        var gaps = new List<Gap>();
        if (silence > 0)
            gaps.Add(NewGap(Packets, silence, cause));
        foreach (var stall in batch.Stalls)
            gaps.Add(NewGap(_captureBegins + stall.FirstPacket, stall.Packets, GapCause.CaptureStalled));
        Packets += silence + batch.Packets.Count - skip;
        return new(silence, skip, gaps, _captureBegins);
    }

    /// <summary>Ends the recording, after the last batch has arrived. Audio missing at the end is a gap.</summary>
    /// <returns>The silence to write, in packets, and its gap; <see langword="null"/> if nothing is missing.</returns>
    public (long Silence, Gap Gap)? End(RecordingEnd end)
    {
        var silence = position.PacketAt(end.At) - Packets;
        return silence <= MaxLag ? null : (silence, NewGap(Packets, silence, end.CauseOfGap));
    }

    private static Gap NewGap(long first, long packets, string cause) =>
        new(TimeLinePosition.Seconds(first), TimeLinePosition.Seconds(first + packets), cause);
}

/// <param name="At">When the bot was last in the call.</param>
/// <param name="CauseOfGap">The cause to report if audio is missing at the end.</param>
internal sealed record RecordingEnd(DateTimeOffset At, string CauseOfGap);

/// <param name="Silence">Packets of silence before the batch.</param>
/// <param name="Skip">How many of the batch's first packets are already on the time line.</param>
/// <param name="Gaps">The gaps to report.</param>
/// <param name="CaptureBegins">The capture's first packet on the time line; <see langword="null"/> for a late batch of an earlier capture.</param>
internal readonly record struct Placement(long Silence, int Skip, IReadOnlyList<Gap> Gaps, long? CaptureBegins);
