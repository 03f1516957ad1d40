using NewarBots.Contract;
using NewarBots.Manager.Bots;

namespace NewarBots.Manager.Recordings;

/// <summary>The most that a bot can have recorded in its time. Everything that is made from its files stays within it.</summary>
/// <param name="Packets">Packets of 20 ms, of the mix or of one track.</param>
internal sealed record RecordingBudget(long Packets)
{
    /// <summary>Meetings have far fewer tracks: pages mix all participants into a few.</summary>
    public const int MaxTracks = 100;

    /// <summary>Entries of the work folder: the pieces of the mix or of one track, and the results.</summary>
    public const int MaxFiles = 20_000;

    /// <summary>
    /// All tracks together, in lengths of the session: the 16 tracks that a recorder writes at once, and <see cref="MaxLengthsOfSilence"/>.
    /// </summary>
    private const int MaxLengthsOfTracks = 20;

    /// <summary>
    /// Silence in place of lost audio in all tracks together, in lengths of the session: a quarter of 16 tracks. A track that begins late needs none. Without
    /// this limit, a few bytes that claim a late position would cost as much work as a whole track.
    /// </summary>
    private const int MaxLengthsOfSilence = 4;

    /// <summary>All tracks together, in lengths of the session at the highest bit rate. A live recorder with more is stopped.</summary>
    public const int MaxBytesOfTracks = 8;

    /// <summary>Wall-clock time for the mix, in timeouts of one run of FFmpeg: it is written and decoded, and each run is repeated once if it times out.</summary>
    private const int TimeoutsOfMix = 4;

    /// <summary>Wall-clock time for all tracks, however many there are. Honest ones need less than one timeout.</summary>
    private const int TimeoutsOfTracks = 8;

    /// <summary>CPU time of all processes together, in timeouts of one run of FFmpeg.</summary>
    private const int TimeoutsOfCpu = 4;

    /// <summary>Opus needs at most 510 kbit/s (RFC 6716, 2.1.1).</summary>
    public const long MaxBytesPerSecond = 64_000;

    /// <summary>Chunks have ten seconds.</summary>
    private const int PacketsOfChunk = 10 * ChunkFormat.PacketsPerSecond;

    /// <summary>Gaps of the journal and of the tracks, speakers, warnings and ignored files.</summary>
    private const long BaseOfResult = 8 * 1024 * 1024;

    /// <summary>JSON about one chunk. It needs about 350 bytes, and 40 for each of a few holes.</summary>
    private const long BytesOfDescription = 1024;

    /// <summary>For clocks that were set, and for a recorder that started before the manager knew.</summary>
    private static readonly TimeSpan Slack = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan Longest = CreateBotRequest.MaxDuration + TimeSpan.FromHours(1);

    /// <summary>Packets of silence in place of missing audio, of the mix or of one track. Not more than <see cref="Packets"/> if omitted.</summary>
    public long? Silence { get; init; }

    public static RecordingBudget OfLongestBot { get; } = new(PacketsIn(Longest));

    public TimeSpan Length => TimeSpan.FromSeconds(ChunkManifest.Seconds(Packets));

    public long PacketsOfTracks => MaxLengthsOfTracks * Packets;

    /// <summary>Packets of silence in all tracks together.</summary>
    public long SilenceOfTracks => MaxLengthsOfSilence * Packets;

    /// <summary>Chunks of all tracks together.</summary>
    public long ChunksOfTracks => MaxLengthsOfTracks * Chunks;

    /// <summary>Bytes of the chunks of all tracks together, those that are assembled and those that are only kept.</summary>
    public long BytesOfTracks => MaxBytesOfTracks * Bytes;

    /// <summary>Chunks of the mix, or of one track, that are read. A browser or recorder that crashes leaves a short one.</summary>
    public long MaxChunks => (2 * Chunks) + 100;

    private long Chunks => 1 + Packets / PacketsOfChunk;

    /// <summary>Bytes of the chunks to read, of the mix or of one track.</summary>
    public long Bytes => ChunkFolder.MaxChunkBytes + (long)(Length.TotalSeconds * MaxBytesPerSecond);

    /// <summary>
    /// Bytes of the JSON that describes the assembled mix and tracks: at most 25 MB, for a day. Tracks list only their damaged chunks.
    /// </summary>
    public long BytesOfResult => BaseOfResult + 2 * BytesOfDescription * Chunks;

    /// <summary>Length of each file that is written.</summary>
    public long FileBytes => FFmpegRun.BytesOf(Length);

    /// <summary>
    /// Follows what the engine and the manager know, never what the recorder says. Only ids created by a manager contain a timestamp: a bot that was
    /// recovered under another id may be older than its record.
    /// </summary>
    /// <param name="bot">The bot. If the engine does not know how long its container ran, it counts as running since it was due.</param>
    /// <param name="now">The current time.</param>
    /// <param name="setBack">By how much the system clock was set back: the bot may have run for so much longer than the clock says.</param>
    public static RecordingBudget Of(Bot bot, DateTimeOffset now, TimeSpan setBack)
    {
        var ran = bot.RanFor ?? now - bot.DueAt;
        var length = ran + setBack + Slack;
        // A clock that runs backwards proves nothing.
        return bot.Id.MadeAt is null || ran < TimeSpan.Zero || length > Longest ? OfLongestBot : new(PacketsIn(length));
    }

    /// <summary>Paths of the first chunks of a folder that together have no more than <see cref="Bytes"/>.</summary>
    public IEnumerable<string> Within(ChunkFolder folder) => Within(folder, Bytes);

    /// <summary>Paths of the first chunks of a folder that together have no more than a number of bytes.</summary>
    public static IEnumerable<string> Within(ChunkFolder folder, long bytes) =>
        folder.Chunks().Where(chunk => chunk.Bytes is > 0 and <= ChunkFolder.MaxChunkBytes).TakeWhile(chunk => (bytes -= chunk.Space) >= 0).Select(chunk => chunk.Path);

    /// <summary>Bytes of all files in the work folder: for each result its own bytes, and those of its pieces.</summary>
    /// <param name="hasTracks">Whether there are tracks. Their number does not matter.</param>
    public long BytesToWrite(bool hasTracks) => 2 * (FileBytes + (hasTracks ? MaxBytesOfTracks * FileBytes : 0));

    /// <summary>Limits of the process that does all the work.</summary>
    /// <param name="options">The timeouts of FFmpeg.</param>
    /// <param name="hasTracks">Whether there are tracks with audio. Their number does not matter: more of them have less time each.</param>
    public ProcessLimits Limits(FinalizingOptions options, bool hasTracks)
    {
        var timeout = options.TimeoutFor(Length);
        return new(timeout * (TimeoutsOfMix + (hasTracks ? TimeoutsOfTracks : 0)), timeout * 2 + FFmpegRun.LeastCpu, FileBytes)
        {
            TotalCpu = (timeout + FFmpegRun.LeastCpu) * TimeoutsOfCpu,
            Memory = 768 * 1024 * 1024,
            AddressSpace = 8L * 1024 * 1024 * 1024,
        };
    }

    private static long PacketsIn(TimeSpan length) => (long)(length.TotalSeconds * ChunkFormat.PacketsPerSecond);
}

/// <summary>A bot's files need more than an honest recorder can have caused. Finalization ends.</summary>
/// <param name="limit">The limit in a few words: <c>CPU time</c>.</param>
/// <param name="message">The details.</param>
internal sealed class FinalizationBudgetException(string limit, string message) : FinalizationException($"Over the limit of {limit}. {message}")
{
    public string Limit => limit;

    public override string Explanation => $"The recorder's files are over the limit of {limit}.";
}
