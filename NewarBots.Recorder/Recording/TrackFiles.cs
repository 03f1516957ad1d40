using Microsoft.Extensions.Logging;
using NewarBots.Contract;

namespace NewarBots.Recorder.Recording;

/// <summary>
/// Writes the separate chunks of each track, in addition to the mix, to a folder per track (<see cref="StorageLayout.TrackFolderName"/>).
/// A track's time line starts at its first packet. An error in one track ends that track only.
/// </summary>
/// <param name="folder">The session folder, which exists.</param>
/// <param name="assignment">The session and its chunk length.</param>
/// <param name="logger">Logs the tracks that failed.</param>
internal sealed partial class TrackFiles(string folder, RecorderAssignment assignment, ILogger<TrackFiles> logger) : IDisposable
{
    /// <summary>A track without packets for this long is treated as ended.</summary>
    private static readonly TimeSpan IdleTimeout = TimeSpan.FromSeconds(10);

    /// <summary>By the track's number; <see langword="null"/> for a failed track.</summary>
    private readonly Dictionary<int, TrackFile?> _files = [];

    /// <param name="track">The track's number in the session.</param>
    /// <param name="session">The session's time line.</param>
    /// <param name="first">The first packet's position on it.</param>
    /// <param name="packets">Packets already written are skipped. Packets missing before them become silence.</param>
    public void Write(int track, TimeLinePosition session, long first, IReadOnlyList<ReadOnlyMemory<byte>> packets)
    {
        if (!_files.TryGetValue(track, out var file))
        {
            _files[track] = null;
            if (track > StorageLayout.MaxTrack)
                LogTooMany(track);
            else
                Guard(track, () => _files[track] = file = Open(track, session.At(first)));
        }

        if (file is not null)
            Guard(track, () => file.Write(session.At(first), packets));
    }

    public void Flush() => ForEach(file => file.Writer.Flush());

    /// <summary>Ends the open chunks of idle tracks.</summary>
    /// <param name="now">The end of the session's time line.</param>
    public void CloseIdle(DateTimeOffset now) => ForEach(file =>
    {
        if (now - file.End > IdleTimeout)
            file.Writer.Complete();
    });

    /// <summary>Ends every open chunk.</summary>
    public void Complete() => ForEach(file => file.Writer.Complete());

    public void Dispose()
    {
        foreach (var file in _files.Values)
            file?.Writer.Dispose();
        _files.Clear();
    }

    private TrackFile Open(int track, DateTimeOffset start)
    {
        var own = Directory.CreateDirectory(Path.Combine(folder, StorageLayout.TrackFolderName(track))).FullName;
        var position = new TimeLinePosition(start);
        return new(position, new(own, assignment.SessionId, assignment.ChunkLength, position));
    }

    private void ForEach(Action<TrackFile> act)
    {
        foreach (var (track, file) in _files.ToList())
        {
            if (file is not null)
                Guard(track, () => act(file));
        }
    }

    private void Guard(int track, Action act)
    {
        try
        {
            act();
        }
        catch (Exception exception)
        {
            // Any error: the mix must not suffer from a failed track.
            LogFailed(track, exception);
            _files[track]?.Writer.Dispose();
            _files[track] = null;
        }
    }

    private sealed record TrackFile(TimeLinePosition Position, ChunkWriter Writer)
    {
        public DateTimeOffset End => Position.At(Writer.Packets);

        public void Write(DateTimeOffset at, IReadOnlyList<ReadOnlyMemory<byte>> packets)
        {
            var missing = Position.PacketAt(at) - Writer.Packets;
            Writer.AppendSilence(Math.Max(0, missing));
            foreach (var packet in packets.Skip((int)Math.Clamp(-missing, 0, packets.Count)))
                Writer.Append(packet.Span);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Writing track {Track} failed, its separate recording ends; the mix continues")]
    private partial void LogFailed(int track, Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Track {Track} has no separate recording: the session has too many tracks")]
    private partial void LogTooMany(int track);
}
