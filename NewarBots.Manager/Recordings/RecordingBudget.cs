using NewarBots.Contract;
using NewarBots.Manager.Bots;

namespace NewarBots.Manager.Recordings;

/// <summary>The most that a bot can have recorded in its time. Everything that is made from its files stays within it.</summary>
/// <param name="Packets">Packets of 20 ms, of the mix or of one track.</param>
internal sealed record RecordingBudget(long Packets)
{
    /// <summary>Meetings have far fewer tracks: pages mix all participants into a few.</summary>
    public const int MaxTracks = 100;

    /// <summary>Entries of the work folder: chunks to repair, and the results.</summary>
    public const int MaxFiles = 20_000;

    /// <summary>All tracks together, in lengths of the session.</summary>
    private const int MaxLengthsOfTracks = 32;

    /// <summary>In lengths of the session at the highest bit rate. A live recorder with more is stopped.</summary>
    private const int MaxKeptLengths = 8;

    /// <summary>Opus needs at most 510 kbit/s (RFC 6716, 2.1.1).</summary>
    private const long MaxBytesPerSecond = 64_000;

    /// <summary>Chunks have ten seconds.</summary>
    private const int PacketsOfChunk = 10 * ChunkFormat.PacketsPerSecond;

    /// <summary>Gaps of the journal and of the tracks, speakers, warnings and ignored files.</summary>
    private const long BaseOfResult = 8 * 1024 * 1024;

    /// <summary>JSON about one chunk. It needs about 350 bytes, and 40 for each of a few holes.</summary>
    private const long BytesOfDescription = 1024;

    /// <summary>For clocks that were set, and for a recorder that started before the manager knew.</summary>
    private static readonly TimeSpan Slack = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan Longest = CreateBotRequest.MaxDuration + TimeSpan.FromHours(1);

    public static RecordingBudget OfLongestBot { get; } = new(PacketsIn(Longest));

    public TimeSpan Length => TimeSpan.FromSeconds(ChunkManifest.Seconds(Packets));

    public long PacketsOfTracks => MaxLengthsOfTracks * Packets;

    /// <summary>Chunks of all tracks together.</summary>
    public long ChunksOfTracks => MaxLengthsOfTracks * Chunks;

    /// <summary>Bytes of the chunks of tracks that are kept without being assembled.</summary>
    public long BytesOfTracks => MaxKeptLengths * Bytes;

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

    /// <param name="bot">The bot.</param>
    /// <param name="until">When its recorder ended, or now.</param>
    public static RecordingBudget Of(Bot bot, DateTimeOffset until)
    {
        // Only ids created by a manager contain a timestamp. A bot that was recovered under another id may be older than its record.
        // The launch is noted after the container has started, and much later if Redis was unavailable then.
        DateTimeOffset?[] starts = [bot.LaunchedAt ?? bot.DueAt, bot.JoiningAt, bot.RecordingAt];
        var length = bot.Id.MadeAt is null ? Longest : until - starts.Min()!.Value + Slack;
        // The wall clock may have been set back while the bot recorded.
        var recorded = TimeSpan.FromSeconds(Math.Clamp(bot.RecordedSeconds, 0, bot.Leave.MaxDuration.TotalSeconds)) + Slack;
        if (length >= Slack && length < recorded)
            length = recorded;
        // A clock that was set back proves nothing.
        return length < Slack || length > Longest ? OfLongestBot : new(PacketsIn(length));
    }

    /// <summary>Paths of the first chunks of a folder that together have no more than <see cref="Bytes"/>.</summary>
    public IEnumerable<string> Within(ChunkFolder folder)
    {
        var left = Bytes;
        return folder.Chunks().Where(chunk => chunk.Bytes is > 0 and <= ChunkFolder.MaxChunkBytes).TakeWhile(chunk => (left -= chunk.Space) >= 0).Select(chunk => chunk.Path);
    }

    /// <summary>Bytes of all files in the work folder: for each result its own bytes, and those of repaired chunks and silence.</summary>
    /// <param name="tracks">Number of tracks.</param>
    public long BytesToWrite(int tracks) => 2 * FileBytes * (1 + Math.Min(tracks, MaxLengthsOfTracks));

    /// <summary>Limits of the process that does all the work.</summary>
    /// <param name="options">The timeouts of FFmpeg.</param>
    /// <param name="tracks">Number of tracks.</param>
    public ProcessLimits Limits(FinalizingOptions options, int tracks)
    {
        // Each file is written and decoded, and each run of FFmpeg is repeated once if it times out.
        var timeout = options.TimeoutFor(Length);
        return new(timeout * (4 + Math.Min(tracks, MaxTracks)), timeout * 2 + FFmpegRun.LeastCpu, FileBytes)
        {
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
