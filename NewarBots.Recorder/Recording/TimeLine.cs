using NewarBots.Contract;

namespace NewarBots.Recorder.Recording;

/// <summary>Where a session's time line stands: packet n of it holds the 20 ms from <c>Start + n * 20 ms</c> on.</summary>
/// <param name="Start">Wall-clock time of the first sample.</param>
/// <param name="Packets">How many packets it has.</param>
/// <param name="Chunks">In how many chunks they lie.</param>
internal readonly record struct TimeLinePosition(DateTimeOffset Start, long Packets = 0, int Chunks = 0)
{
    public static TimeSpan PacketLength { get; } = TimeSpan.FromSeconds(1) / ChunkFormat.PacketsPerSecond;

    public DateTimeOffset At(long packet) => Start + (packet * PacketLength);

    public long PacketAt(DateTimeOffset at) => (long)Math.Round((at - Start) / PacketLength);

    public static double Seconds(long packets) => (double)packets / ChunkFormat.PacketsPerSecond;
}

/// <summary>
/// Finds every captured packet's place on the session's time line, which is wall-clock time. What could not be captured is a
/// named gap and takes its time; nothing is ever placed twice, and nothing moves what was placed before.
/// </summary>
internal sealed class TimeLine(TimeLinePosition position)
{
    /// <summary>In packets: so far behind the wall clock a recording may end that misses nothing.</summary>
    private const long LongestLag = 2 * ChunkFormat.PacketsPerSecond;

    private readonly HashSet<string> _retired = [];
    private string? _capture;
    private int _browser;
    private long _captureBegins;

    public long Packets { get; private set; } = position.Packets;

    /// <returns>What to write for this batch, in this order: silence, then its packets without the skipped ones.</returns>
    public Placement Place(CapturedBatch batch)
    {
        // What the encoder before this one hands over late has its place behind us: the time line has gone on without it.
        if (_retired.Contains(batch.Capture))
            return new(Silence: 0, Skip: batch.Packets.Count, Gaps: [], CaptureBegins: null);
        var causeOfHole = GapCause.PacketsLost;
        if (batch.Capture != _capture)
        {
            if (_capture is not null)
                _retired.Add(_capture);
            causeOfHole = batch.Browser != _browser ? GapCause.BrowserRestarted : GapCause.CaptureRestarted;
            (_capture, _browser) = (batch.Capture, batch.Browser);
            // A clock that was set back must not write over what is there.
            _captureBegins = Math.Max(Packets, position.PacketAt(batch.StartedAt));
        }

        var first = _captureBegins + batch.FirstPacket;
        var silence = Math.Max(0, first - Packets);
        var skip = (int)Math.Clamp(Packets - first, 0, batch.Packets.Count);
        var gaps = new List<Gap>();
        if (silence > 0)
            gaps.Add(NewGap(Packets, silence, causeOfHole));
        foreach (var stall in batch.Stalls)
            gaps.Add(NewGap(_captureBegins + stall.FirstPacket, stall.Packets, GapCause.CaptureStalled));
        Packets += silence + batch.Packets.Count - skip;
        return new(silence, skip, gaps, _captureBegins);
    }

    /// <summary>The recording is over. What was not handed over any more, and is more than a batch on its way, is a gap as well.</summary>
    /// <returns>So many packets of silence, and their gap; <see langword="null"/> where there are none.</returns>
    public (long Silence, Gap Gap)? End(RecordingEnd end)
    {
        var silence = position.PacketAt(end.At) - Packets;
        return silence < LongestLag ? null : (silence, NewGap(Packets, silence, end.CauseOfHole));
    }

    private static Gap NewGap(long first, long packets, string cause) =>
        new(TimeLinePosition.Seconds(first), TimeLinePosition.Seconds(first + packets), cause);
}

/// <param name="At">Until then the bot was in the call.</param>
/// <param name="CauseOfHole">Why nothing came any more, should that be so.</param>
internal sealed record RecordingEnd(DateTimeOffset At, string CauseOfHole);

/// <param name="Silence">So many packets of silence come before the batch.</param>
/// <param name="Skip">So many of the batch's first packets are on the time line already.</param>
/// <param name="Gaps">What is to be noted as missing.</param>
/// <param name="CaptureBegins">
/// Where on the time line the batch's capture has its first packet; <see langword="null"/> for one that is over, of which nothing has
/// a place any more.
/// </param>
internal readonly record struct Placement(long Silence, int Skip, IReadOnlyList<Gap> Gaps, long? CaptureBegins);
