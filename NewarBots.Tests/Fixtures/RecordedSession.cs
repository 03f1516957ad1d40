using CliWrap;
using Microsoft.Extensions.Logging.Abstractions;
using NewarBots.Contract;
using NewarBots.Contract.Ogg;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Finalizing;

namespace NewarBots.Tests.Fixtures;

/// <summary>A bot whose recorder is gone, with a storage folder of its own: chunks go in, a recording comes out.</summary>
internal sealed class RecordedSession : IDisposable
{
    public const int PacketsPerChunk = 500;

    public static DateTimeOffset Start { get; } = new(2026, 3, 1, 9, 0, 0, TimeSpan.Zero);

    private readonly string _root = Directory.CreateTempSubdirectory("newarbots-storage-").FullName;

    public RecordedSession()
    {
        Storage = new StorageLayout(_root);
        Bot = new()
        {
            Id = SessionId.Parse("0199aaaabbbbccccddddeeeeffff0001"),
            UserId = UserId.Parse("ada"),
            Status = BotStatus.Finalizing,
            Reason = EndReason.EveryoneLeft,
            MeetingUrl = new("https://meet.google.com/abc-defg-hij"),
            Platform = Platform.GoogleMeet,
            BotName = "Notes",
            Leave = new(),
            Metadata = new Dictionary<string, string> { ["Room"] = "7" },
            CreatedAt = Start,
            EndedCleanly = true,
        };
        Directory.CreateDirectory(Folder);
    }

    public StorageLayout Storage { get; }

    public Bot Bot { get; set; }

    public FinalizingOptions Options { get; } = new();

    public string Folder => Storage.SessionFolder(Bot.UserId, Bot.Id);

    public string Recording => Storage.Recording(Bot.UserId, Bot.Id);

    public string ManifestPath => Storage.Manifest(Bot.UserId, Bot.Id);

    public string ChunkPath(int index) => Path.Combine(Folder, ChunkFormat.FileName(index));

    /// <summary>Writes the packets as chunks of 10 s, the last one shorter, exactly as the recorder lays them out.</summary>
    public void Write(IReadOnlyList<byte[]> packets)
    {
        for (var index = 0; index * PacketsPerChunk < packets.Count; index++)
            WriteChunk(index, index * PacketsPerChunk, [.. packets.Skip(index * PacketsPerChunk).Take(PacketsPerChunk)]);
    }

    public void WriteChunk(int index, long firstPacket, IReadOnlyList<byte[]> packets, SessionId? session = null, bool ended = true)
    {
        using var file = File.Create(ChunkPath(index));
        var page = new OggPage();
        var sequence = 0u;
        var serial = (uint)(1000 + index);
        page.TryAdd(OpusHeaders.Head());
        page.WriteTo(file, serial, sequence++, granule: 0, OggPageMarks.BeginningOfStream);
        page.TryAdd(OpusHeaders.Tags(
        [
            new(ChunkFormat.SessionTag, (session ?? Bot.Id).ToString()),
            new(ChunkFormat.StartTag, Start.AddSeconds(firstPacket / 50.0).ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'")),
            new(ChunkFormat.FirstPacketTag, $"{firstPacket}"),
        ]));
        page.WriteTo(file, serial, sequence++, granule: 0, OggPageMarks.None);
        for (var i = 0; i < packets.Count; i++)
        {
            page.TryAdd(packets[i]);
            if (page.Packets == ChunkFormat.PacketsPerSecond || i == packets.Count - 1)
            {
                var marks = ended && i == packets.Count - 1 ? OggPageMarks.EndOfStream : OggPageMarks.None;
                page.WriteTo(file, serial, sequence++, (i + 1) * ChunkFormat.SamplesPerPacket, marks);
            }
        }
    }

    public void WriteJournal(params string[] lines) => File.WriteAllText(Path.Combine(Folder, Journal.FileName), string.Join('\n', lines));

    public RecordingFinalizer Finalizer()
    {
        var options = Microsoft.Extensions.Options.Options.Create(Options);
        var ffmpeg = new FFmpeg(options, TimeProvider.System, NullLogger<FFmpeg>.Instance);
        return new(Storage, new(ffmpeg), new(ffmpeg), options, NullLogger<RecordingFinalizer>.Instance);
    }

    public async Task<FinalizationResult> FinalizeAsync()
    {
        using var finalizer = Finalizer();
        return await finalizer.FinalizeAsync(Bot, TestContext.Current.CancellationToken);
    }

    public async Task<FinalizationResult.Recorded> RecordAsync() => Assert.IsType<FinalizationResult.Recorded>(await FinalizeAsync());

    public RecordingManifest Manifest() => RecordingManifest.TryRead(ManifestPath) ?? throw new InvalidOperationException("There is no manifest.");

    /// <summary>Decodes the recording with FFmpeg: one value a sample, at 48 kHz.</summary>
    public Task<short[]> DecodeAsync() => DecodeAsync(Recording);

    /// <summary>What a player would hear of these packets, as one stream.</summary>
    public async Task<short[]> DecodeAsync(IEnumerable<byte[]> packets)
    {
        var path = Path.Combine(_root, "reference.ogg");
        using (var file = File.Create(path))
        {
            var writer = new OggOpusWriter(file);
            foreach (var packet in packets)
                writer.Append(packet);
            writer.Complete();
        }

        return await DecodeAsync(path);
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private static async Task<short[]> DecodeAsync(string path)
    {
        using var pcm = new MemoryStream();
        await Cli.Wrap("ffmpeg")
            .WithArguments(["-nostdin", "-loglevel", "error", "-i", path, "-f", "s16le", "pipe:1"])
            .WithStandardOutputPipe(PipeTarget.ToStream(pcm))
            .ExecuteAsync();
        return System.Runtime.InteropServices.MemoryMarshal.Cast<byte, short>(pcm.ToArray()).ToArray();
    }
}
