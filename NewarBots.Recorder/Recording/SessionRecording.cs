using System.Collections.Concurrent;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using NewarBots.Contract;
using NewarBots.Recorder.Hosting;
using NewarBots.Recorder.Reporting;

namespace NewarBots.Recorder.Recording;

/// <summary>
/// Turns captured batches into chunks on disk: one loop takes the batches in order, places them on the time line and writes them. It does
/// not depend on a browser, so it continues when one is replaced.
/// </summary>
internal sealed partial class SessionRecording(
    string folder,
    RecorderAssignment assignment,
    SessionJournal journal,
    TrackFiles files,
    MonotonicClock time,
    ILogger<SessionRecording> logger)
{
    private static readonly TimeSpan FlushInterval = TimeSpan.FromSeconds(1);

    private readonly SessionTracks _tracks = new();
    private readonly LevelMeter _level = new();
    private readonly SpeakerTimeLine _speakers = new();
    private readonly SpeakerActivity _activity = new();
    private readonly ConcurrentQueue<(IReadOnlyList<string> Names, DateTimeOffset At)> _marks = new();
    private RecordingProgress _progress = RecordingProgress.None;
    private int _speakerChanges;
    private RecordingEnd? _end;
    private string _causeOfRestart = GapCause.BrowserRestarted;

    /// <summary>The current state. Thread-safe.</summary>
    public RecordingProgress Progress => Volatile.Read(ref _progress);

    /// <summary>How often somebody has begun or ceased to speak. Thread-safe.</summary>
    public int SpeakerChanges => Volatile.Read(ref _speakerChanges);

    /// <summary>Adds the names that the page marks as speaking now. Thread-safe.</summary>
    public void MarkSpeakers(IReadOnlyList<string> names)
    {
        if (names.Count > 0)
            _marks.Enqueue((names, time.GetUtcNow()));
    }

    /// <summary>Sets the end of the recording. Call before the messages end. Thread-safe.</summary>
    public void SetEnd(RecordingEnd end) => Volatile.Write(ref _end, end);

    /// <summary>Sets the cause of the gap until the next browser's first audio. Thread-safe.</summary>
    public void SetCauseOfRestart(string cause) => Volatile.Write(ref _causeOfRestart, cause);

    /// <summary>Writes until <paramref name="messages"/> ends, then completes the last chunk.</summary>
    /// <exception cref="IOException">The folder is not writable. Everything flushed before is intact.</exception>
    public async Task WriteAsync(ChannelReader<CaptureMessage> messages)
    {
        ChunkWriter? writer = null;
        TimeLine? timeLine = null;
        var position = default(TimeLinePosition);
        try
        {
            while (await WaitForMessageAsync(messages, writer))
            {
                while (messages.TryRead(out var message))
                {
                    if (TryParse(message) is not { } batch)
                        continue;
                    if (writer is null || timeLine is null)
                    {
                        position = new(batch.StartedAt);
                        writer = new(folder, assignment.SessionId, assignment.ChunkLength, position);
                        timeLine = new(position);
                    }

                    var placement = timeLine.Place(batch, Volatile.Read(ref _causeOfRestart));
                    Write(batch, placement, writer);
                    WriteSpeech(batch, placement, position, writer.Packets);
                    WriteTracks(batch, placement, position, writer.Packets);
                }
            }

            if (writer is not null && Volatile.Read(ref _end) is { } end && timeLine?.End(end) is { } missing)
            {
                // The gap comes first: it is valid even if there is no time left to write the silence.
                AddToJournal(missing.Gap);
                writer.AppendSilence(missing.Silence);
            }

            writer?.Complete();
            AddToJournal(_speakers.Complete());
            AddToJournal(_activity.Complete(), position);
        }
        finally
        {
            writer?.Dispose();
            files.Complete();
        }
    }

    private async Task<bool> WaitForMessageAsync(ChannelReader<CaptureMessage> messages, ChunkWriter? writer)
    {
        var waiting = messages.WaitToReadAsync().AsTask();
        while (true)
        {
            try
            {
                return await waiting.WaitAsync(FlushInterval, time);
            }
            catch (TimeoutException)
            {
                writer?.Flush();
                files.Flush();
            }
        }
    }

    private CapturedBatch? TryParse(CaptureMessage message)
    {
        try
        {
            var batch = CapturedBatch.Parse(message);
            return batch with { StartedAt = time.FromMachineTime(batch.StartedAt) };
        }
        catch (InvalidCaptureException exception)
        {
            LogBatchLost(exception);
            return null;
        }
    }

    private void Write(CapturedBatch batch, Placement placement, ChunkWriter writer)
    {
        foreach (var gap in placement.Gaps)
            AddToJournal(gap);
        writer.AppendSilence(placement.Silence);
        foreach (var packet in batch.Packets.Skip(placement.Skip))
            writer.Append(packet.Span);

        var progress = _progress;
        var audible = progress.AudiblePackets;
        var lastAudible = progress.LastAudiblePacket;
        for (var i = placement.Skip; i < batch.Packets.Count; i++)
        {
            _level.Add(batch.Levels[i]);
            if (batch.Levels[i] < ChunkFormat.AudibleLevel)
                continue;
            audible++;
            lastAudible = writer.Packets - batch.Packets.Count + i;
        }

        Volatile.Write(ref _progress, new(writer.Chunks, writer.Packets, audible, lastAudible, batch.Reception, time.GetUtcNow())
        {
            Level = _level.Level,
            Page = placement.CaptureBegins is null ? progress.Page : batch.Page,
            Network = placement.CaptureBegins is { } begins ? batch.Network.After(begins * TimeLinePosition.PacketLength) : progress.Network,
            TrackStats = batch.TrackStats.Count == 0
                ? progress.TrackStats
                // A connection that only sends has a receiver too, which never receives a byte.
                : [.. batch.TrackStats.Where(stats => stats.ReceivedBytes > 0 || stats.AreMissing).Select(stats => stats with { Track = _tracks.NumberOf(batch.Page, stats.Track) })],
        });
    }

    private void WriteSpeech(CapturedBatch batch, Placement placement, TimeLinePosition position, long packets)
    {
        while (_marks.TryDequeue(out var mark))
            _speakers.Mark(mark.Names, position.PacketAt(mark.At));
        var voices = placement.CaptureBegins is { } begins
            ? batch.Voices.Select(voice => new Voice(
                _tracks.NumberOf(batch.Page, voice.Track), begins + (voice.Block * VoiceBlock.Packets), voice.Level, voice.Contributor))
            : [];
        AddToJournal(_speakers.Advance(voices, packets));
        AddToJournal(_activity.Observe(_speakers.OpenTurns, packets), position);
    }

    private void WriteTracks(CapturedBatch batch, Placement placement, TimeLinePosition position, long packets)
    {
        foreach (var (track, error) in batch.TrackFailures)
            LogTrackFailed(_tracks.NumberOf(batch.Page, track), error);
        if (placement.CaptureBegins is { } begins)
        {
            foreach (var track in batch.SoloTracks)
                files.Write(_tracks.NumberOf(batch.Page, track.Track), position, begins + track.FirstPacket, track.Packets);
        }

        files.CloseIdle(position.At(packets));
    }

    private void AddToJournal(Gap gap)
    {
        LogGap(gap.StartSeconds, gap.EndSeconds, gap.Cause);
        journal.Append(new(Gap: gap));
    }

    private void AddToJournal(IReadOnlyList<Speech> speeches)
    {
        foreach (var speech in speeches)
            journal.Append(new(Speech: speech));
    }

    /// <summary>They are for those who watch now, so the recording continues if they cannot be written.</summary>
    private void AddToJournal(IReadOnlyList<SpeakerChange> changes, TimeLinePosition position)
    {
        foreach (var change in changes)
            journal.TryAppend(new(Speaking: new(change.Source, position.At(change.Packet).ToUnixTimeMilliseconds(), change.IsSpeaking, change.Name)));
        Volatile.Write(ref _speakerChanges, _speakerChanges + changes.Count);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Gap in the recording from {Start} s to {End} s ({Cause})")]
    private partial void LogGap(double start, double end, string cause);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Track {Track} has no separate recording: {Error}")]
    private partial void LogTrackFailed(int track, string error);

    [LoggerMessage(Level = LogLevel.Error, Message = "Captured audio was lost; the recording will have a gap")]
    private partial void LogBatchLost(Exception exception);
}

/// <summary>Numbers tracks across the session. Each page load and each browser counts from 1 again.</summary>
internal sealed class SessionTracks
{
    private readonly Dictionary<(string Page, int Track), int> _numbers = [];

    /// <param name="page">Identifies the page load.</param>
    /// <param name="track">The track's number in that page.</param>
    /// <returns>Its number in the session, from 1 in order of appearance.</returns>
    public int NumberOf(string page, int track)
    {
        if (!_numbers.TryGetValue((page, track), out var number))
            _numbers[(page, track)] = number = _numbers.Count + 1;
        return number;
    }
}

/// <summary>Measures the loudness of the last second: the mean power of its packets.</summary>
internal sealed class LevelMeter
{
    /// <summary>Digital silence.</summary>
    public const int Silent = -127;

    private readonly Queue<double> _powers = new(ChunkFormat.PacketsPerSecond);

    /// <summary>In dBFS.</summary>
    public int Level => _powers.Count == 0 ? Silent : (int)Math.Max(Silent, Math.Round(10 * Math.Log10(_powers.Average())));

    /// <param name="level">The level of the next packet in dBFS.</param>
    public void Add(int level)
    {
        if (_powers.Count == ChunkFormat.PacketsPerSecond)
            _powers.Dequeue();
        _powers.Enqueue(Math.Pow(10, level / 10.0));
    }
}

/// <param name="Chunks">Number of chunk files, including the open one.</param>
/// <param name="Packets">Length of the time line in packets of 20 ms.</param>
/// <param name="AudiblePackets">How many of them are not silent.</param>
/// <param name="LastAudiblePacket">The last of those; -1 if there is none.</param>
/// <param name="Reception">The latest report of the connections.</param>
/// <param name="At">When the latest batch arrived.</param>
internal sealed record RecordingProgress(
    int Chunks,
    long Packets,
    long AudiblePackets,
    long LastAudiblePacket,
    Reception Reception,
    DateTimeOffset At)
{
    public static RecordingProgress None { get; } = new(0, 0, 0, -1, default, DateTimeOffset.MinValue);

    public double RecordedSeconds => TimeLinePosition.Seconds(Packets);

    /// <summary>For a status message.</summary>
    public RecordingFigures Figures => new(Chunks, RecordedSeconds, TimeLinePosition.Seconds(AudiblePackets), Level);

    /// <summary>Figures of each track, numbered across the session. Another list once a second.</summary>
    public IReadOnlyList<TrackStats> TrackStats { get; init; } = [];

    /// <summary>Identifies the page load that the report is of.</summary>
    public string Page { get; init; } = string.Empty;

    /// <summary>Whether remote audio can arrive. Its times are on the session's time line.</summary>
    public NetworkState Network { get; init; }

    /// <summary>Loudness of the last second of the mix in dBFS.</summary>
    public int Level { get; init; } = LevelMeter.Silent;

    /// <summary>Length of the silence at the end of the time line.</summary>
    public TimeSpan Silence => (Packets - 1 - LastAudiblePacket) * TimeLinePosition.PacketLength;
}
