using System.Diagnostics;
using CliWrap;
using NewarBots.Contract;
using NewarBots.Contract.Ogg;
using NewarBots.Manager.Bots;
using NewarBots.Recorder.Recording;

namespace NewarBots.Bench;

/// <summary>Chunks from the recorder's own writer, with noise and a tone that FFmpeg encodes once.</summary>
internal sealed class GeneratedChunks : IDisposable
{
    private static readonly SessionId Session = SessionId.Parse("0199aaaabbbbccccddddeeeeffff0001");

    private readonly string _root = Directory.CreateTempSubdirectory("newarbots-bench-").FullName;

    private GeneratedChunks(int count)
    {
        Count = count;
        Storage = new(Path.Combine(_root, "storage"));
        Directory.CreateDirectory(Made);
    }

    public static TimeSpan Length => ChunkFormat.DefaultLength;

    public int Count { get; }

    public StorageLayout Storage { get; }

    public long Bytes => new DirectoryInfo(Made).EnumerateFiles().Sum(file => file.Length);

    private string Made => Path.Combine(_root, "made");

    private string BareResult => Path.Combine(_root, "bare.ogg");

    public static async Task<GeneratedChunks> MakeAsync(int count, CancellationToken cancellation)
    {
        var chunks = new GeneratedChunks(count);
        var minute = await EncodeMinuteAsync(cancellation);
        using var writer = new ChunkWriter(chunks.Made, Session, Length, new(DateTimeOffset.UnixEpoch));
        for (var packet = 0; packet < count * Length.TotalSeconds * ChunkFormat.PacketsPerSecond; packet++)
            writer.Append(minute[packet % minute.Count]);
        return chunks;
    }

    /// <returns>A bot ready to be finalized.</returns>
    public Bot PutIntoSession()
    {
        var bot = new Bot
        {
            Id = Session,
            UserId = UserId.Default,
            Status = BotStatus.Finalizing,
            MeetingUrl = new("https://meet.google.com/abc-defg-hij"),
            Platform = Platform.GoogleMeet,
            BotName = "Bench",
            Leave = new(),
            CreatedAt = DateTimeOffset.UnixEpoch,
            EndedCleanly = true,
        };
        var folder = Storage.SessionFolder(bot.UserId, bot.Id);
        Directory.CreateDirectory(folder);
        foreach (var file in Directory.EnumerateFiles(Made))
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        return bot;
    }

    /// <returns>Seconds.</returns>
    public async Task<double> ConcatenateBareAsync(CancellationToken cancellation)
    {
        var list = Path.Combine(_root, "bare.txt");
        await File.WriteAllLinesAsync(list, Directory.EnumerateFiles(Made).Order().Select(path => $"file '{path}'"), cancellation);
        return await TimeAsync(["-f", "concat", "-safe", "0", "-i", list, "-c", "copy", "-y", BareResult], cancellation);
    }

    /// <returns>Seconds.</returns>
    public Task<double> DecodeBareAsync(CancellationToken cancellation) => TimeAsync(["-i", BareResult, "-f", "null", "-"], cancellation);

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private static async Task<double> TimeAsync(string[] arguments, CancellationToken cancellation)
    {
        var watch = Stopwatch.StartNew();
        await Cli.Wrap("ffmpeg").WithArguments(["-nostdin", "-loglevel", "error", .. arguments]).ExecuteAsync(cancellation);
        return watch.Elapsed.TotalSeconds;
    }

    /// <summary>Opus packets of one minute.</summary>
    public static async Task<IReadOnlyList<byte[]>> EncodeMinuteAsync(CancellationToken cancellation)
    {
        using var file = new MemoryStream();
        await Cli.Wrap("ffmpeg")
            .WithArguments(
            [
                "-nostdin", "-loglevel", "error", "-f", "lavfi", "-i", "anoisesrc=d=60:c=pink:a=0.1:r=48000", "-f", "lavfi",
                "-i", "sine=440:d=60:r=48000", "-filter_complex", "amix", "-ac", "1", "-c:a", "libopus", "-b:a", "32k", "-f", "ogg", "pipe:1",
            ])
            .WithStandardOutputPipe(PipeTarget.ToStream(file))
            .ExecuteAsync(cancellation);
        file.Position = 0;
        var pages = new OggPageReader(file);
        var packets = new List<byte[]>();
        while (pages.Read())
        {
            foreach (var packet in pages.Packets)
                packets.Add(packet.ToArray());
        }

        return packets[2..];
    }
}
