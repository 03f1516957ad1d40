using System.Collections.Concurrent;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using NewarBots.Contract;
using NewarBots.Recorder.Reporting;

namespace NewarBots.Recorder.Recording;

/// <summary>
/// From captured batches to chunks on disk: one loop that takes batches in order, places them on the time line and writes them.
/// It knows no browser: whoever captures may die and come back, the recording goes on.
/// </summary>
internal sealed partial class SessionRecording(
    string folder,
    RecorderEnvironment environment,
    SessionJournal journal,
    TrackFiles files,
    SteadyClock time,
    ILogger<SessionRecording> logger)
{
    private static readonly TimeSpan LongestUnflushed = TimeSpan.FromSeconds(1);

    private readonly SessionTracks _tracks = new();
    private readonly LevelMeter _level = new();
    private readonly SpeakerTimeLine _speakers = new();
    private readonly ConcurrentQueue<(IReadOnlyList<string> Names, DateTimeOffset At)> _looks = new();
    private RecordingProgress _progress = RecordingProgress.None;
    private RecordingEnd? _end;

    /// <summary>How far it is. Safe to read from any thread.</summary>
    public RecordingProgress Progress => Volatile.Read(ref _progress);

    /// <summary>Takes whom the page marks as speaking now. Safe from any thread.</summary>
    public void SeeSpeakers(IReadOnlyList<string> names)
    {
        if (names.Count > 0)
            _looks.Enqueue((names, time.GetUtcNow()));
    }

    /// <summary>To be told before the messages end. Safe from any thread.</summary>
    public void EndsAt(RecordingEnd end) => Volatile.Write(ref _end, end);

    /// <summary>Writes until <paramref name="messages"/> ends, then completes the last chunk.</summary>
    /// <exception cref="IOException">The folder cannot be written; what was flushed is whole.</exception>
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
                        writer = new(folder, environment.SessionId, environment.ChunkLength, position);
                        timeLine = new(position);
                    }

                    var placement = timeLine.Place(batch);
                    Write(batch, placement, writer);
                    Attribute(batch, placement, position, writer.Packets);
                    WriteTracks(batch, placement, position, writer.Packets);
                }
            }

            if (writer is not null && Volatile.Read(ref _end) is { } end && timeLine?.End(end) is { } missing)
            {
                // The gap first: it is the truth, whether there is time to write as much silence or not.
                Note(missing.Gap);
                writer.AppendSilence(missing.Silence);
            }

            writer?.Complete();
            Note(_speakers.Complete());
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
                return await waiting.WaitAsync(LongestUnflushed, time);
            }
            catch (TimeoutException)
            {
                // Nothing comes: what is there shall not wait for it.
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
            return batch with { StartedAt = time.Read(batch.StartedAt) };
        }
        catch (InvalidCaptureException exception)
        {
            LogCaptureFailed(exception);
            return null;
        }
    }

    private void Write(CapturedBatch batch, Placement placement, ChunkWriter writer)
    {
        foreach (var gap in placement.Gaps)
            Note(gap);
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
            Sounds = batch.Sounds.Count == 0
                ? progress.Sounds
                // Whoever only sends has a receiver too.
                : [.. batch.Sounds.Where(sound => sound.ReceivedBytes > 0 || sound.IsUntold).Select(sound => sound with { Track = _tracks.NumberOf(batch.Page, sound.Track) })],
        });
    }

    private void Attribute(CapturedBatch batch, Placement placement, TimeLinePosition position, long packets)
    {
        while (_looks.TryDequeue(out var look))
            _speakers.See(look.Names, position.PacketAt(look.At));
        var voices = placement.CaptureBegins is { } begins
            ? batch.Voices.Select(voice => new Voice(
                _tracks.NumberOf(batch.Page, voice.Track), begins + (voice.Block * VoiceBlock.Packets), voice.Level, voice.Contributor))
            : [];
        Note(_speakers.Advance(voices, packets));
    }

    private void WriteTracks(CapturedBatch batch, Placement placement, TimeLinePosition position, long packets)
    {
        foreach (var (track, what) in batch.Troubles)
            LogNotAlone(_tracks.NumberOf(batch.Page, track), what);
        if (placement.CaptureBegins is { } begins)
        {
            foreach (var track in batch.Alone)
                files.Write(_tracks.NumberOf(batch.Page, track.Track), position, begins + track.FirstPacket, track.Packets);
        }

        files.CloseIdle(position.At(packets));
    }

    private void Note(Gap gap)
    {
        LogGap(gap.StartSeconds, gap.EndSeconds, gap.Cause);
        journal.Append(new(Gap: gap));
    }

    private void Note(IReadOnlyList<Speech> speeches)
    {
        foreach (var speech in speeches)
            journal.Append(new(Speech: speech));
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Nothing could be captured from {Start} s to {End} s ({Cause})")]
    private partial void LogGap(double start, double end, string cause);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Track {Track} is not recorded alone: {Why}")]
    private partial void LogNotAlone(int track, string why);

    [LoggerMessage(Level = LogLevel.Error, Message = "A part of the capture was lost")]
    private partial void LogCaptureFailed(Exception exception);
}

/// <param name="Chunks">Chunk files, the open one included.</param>
/// <param name="Packets">Length of the time line in packets of 20 ms.</param>
/// <param name="AudiblePackets">How many of them were not silent.</param>
/// <param name="LastAudiblePacket">The last of those, -1 where there was none.</param>
/// <param name="Reception">What the connections said last.</param>
/// <param name="At">When the last batch came.</param>
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

    public double AudibleSeconds => TimeLinePosition.Seconds(AudiblePackets);

    /// <summary>What each track received and what was heard of it, each with its number in the session; a new list once a second.</summary>
    public IReadOnlyList<TrackSound> Sounds { get; init; } = [];

    /// <summary>How loud the mix was in its last second, in dBFS.</summary>
    public int Level { get; init; } = LevelMeter.Silent;

    /// <summary>How long nothing was heard at the end of the time line.</summary>
    public TimeSpan Silence => (Packets - 1 - LastAudiblePacket) * TimeLinePosition.PacketLength;
}
