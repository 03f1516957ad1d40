using System.Text.Json.Serialization;
using NewarBots.Contract;
using NewarBots.Manager.Bots;

namespace NewarBots.Manager.Recordings;

/// <summary>
/// Beside the mix, one file for each track that the recorder kept alone. One that cannot be put together costs only itself: the
/// recording is made without it, and says so.
/// </summary>
internal sealed partial class TrackAssembler(AudioAssembler assembler, ILogger<TrackAssembler> logger)
{
    /// <param name="session">Whose tracks they are.</param>
    /// <param name="folder">The session's folder; it stays as it is.</param>
    /// <param name="work">Where the files are made.</param>
    /// <param name="cancellation">Leaves what has been made.</param>
    /// <exception cref="FFmpegMissingException">There is no FFmpeg.</exception>
    /// <exception cref="IOException">The disk is full or gone.</exception>
    public async Task<IReadOnlyList<AssembledTrack>> AssembleAsync(
        SessionId session, SessionFolder folder, WorkFolder work, CancellationToken cancellation)
    {
        var assembled = new List<AssembledTrack>();
        foreach (var (track, source) in folder.Tracks())
        {
            if (source.HasAudio)
                assembled.Add(await AssembleAsync(session, track, source, work, cancellation));
        }

        return assembled;
    }

    private async Task<AssembledTrack> AssembleAsync(
        SessionId session, int track, AudioFolder source, WorkFolder work, CancellationToken cancellation)
    {
        using var part = BotTracing.StartPart("track finalize");
        part?.SetTag("newarbots.track", track);
        try
        {
            var own = Directory.CreateDirectory(work.PathOf(StorageLayout.TrackFolderName(track))).FullName;
            var audio = await assembler.AssembleAsync(session, source, SessionJournal.Empty, own, cancellation);
            if (audio is null)
                Log.Unreadable(logger, source.Path);
            return new(track, audio, audio is null ? TrackProblem.Unreadable : null);
        }
        // An FFmpeg that hangs over one track, and did not over the mix, is to cost no more than the track.
        catch (Exception exception) when (exception is FinalizationException or FFmpegUnfinishedException { Hung: true })
        {
            part.Fail(exception);
            Log.Undecodable(logger, source.Path, exception.Message);
            return new(track, Audio: null, TrackProblem.Undecodable);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "There is no audio in {Folder} that can be read: the recording is made without this track")]
        public static partial void Unreadable(ILogger logger, string folder);

        [LoggerMessage(LogLevel.Error, "The chunks in {Folder} cannot be put together and stay; the recording is made without this track: {Why}")]
        public static partial void Undecodable(ILogger logger, string folder, string why);
    }
}

/// <param name="Track">Its number in the session.</param>
/// <param name="Audio">Its file; <see langword="null"/> where it could not be made.</param>
/// <param name="Problem">Why not.</param>
internal sealed record AssembledTrack(int Track, AssembledAudio? Audio, TrackProblem? Problem);

/// <summary>Why a track has no file. In the manifest in snake_case.</summary>
[JsonConverter(typeof(SnakeCaseEnumConverter<TrackProblem>))]
internal enum TrackProblem
{
    /// <summary>There is no whole page of audio in its chunks.</summary>
    Unreadable,

    /// <summary>Its chunks could not be put together and decoded; they are kept.</summary>
    Undecodable,
}
