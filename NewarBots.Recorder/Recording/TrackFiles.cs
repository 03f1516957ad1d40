using Microsoft.Extensions.Logging;
using NewarBots.Contract;

namespace NewarBots.Recorder.Recording;

/// <summary>
/// Beside the mix, the chunks of each track alone, in a folder of its own (<see cref="StorageLayout.TrackFolderName"/>). A track's
/// time line begins with its first packet; from there on it is the mix's. Whatever goes wrong with a track ends its
/// file and nothing else.
/// </summary>
/// <param name="folder">The session's folder; it exists.</param>
/// <param name="environment">Whose chunks they are, and how long.</param>
/// <param name="logger">Is told which track ended, and why.</param>
internal sealed partial class TrackFiles(string folder, RecorderEnvironment environment, ILogger<TrackFiles> logger) : IDisposable
{
    /// <summary>A track of which nothing came for so long is over, or as good as over.</summary>
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(10);

    /// <summary>By the track's number; <see langword="null"/> for one that has failed.</summary>
    private readonly Dictionary<int, TrackFile?> _files = [];

    /// <param name="track">The track's number in the session.</param>
    /// <param name="session">The session's time line.</param>
    /// <param name="first">The first packet's place on it.</param>
    /// <param name="packets">Those that are written already are left out, those that are missing before them are silence.</param>
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

    /// <summary>Brings what is there to the disk.</summary>
    public void Flush() => ForEach(file => file.Writer.Flush());

    /// <param name="now">The end of the session's time line.</param>
    public void CloseIdle(DateTimeOffset now) => ForEach(file =>
    {
        if (now - file.End > Idle)
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
        return new(position, new(own, environment.SessionId, environment.ChunkLength, position));
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
            // The mix is worth more than any track, whatever that one has met.
            LogEnded(track, exception);
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

    [LoggerMessage(Level = LogLevel.Error, Message = "Track {Track} is not recorded alone any more; the recording goes on")]
    private partial void LogEnded(int track, Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Track {Track} is not recorded alone: there were too many before it")]
    private partial void LogTooMany(int track);
}
