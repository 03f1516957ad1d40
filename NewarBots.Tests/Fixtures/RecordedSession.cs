using CliWrap;
using Microsoft.Extensions.Logging.Abstractions;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Recordings;
using NewarBots.Recorder.Recording;

namespace NewarBots.Tests.Fixtures;

/// <summary>An ended bot with its own storage folder. Tests write chunks and finalize them to a recording.</summary>
internal sealed class RecordedSession : IDisposable
{
    public const int PacketsPerChunk = 500;

    public static DateTimeOffset Start { get; } = new(2026, 3, 1, 9, 0, 0, TimeSpan.Zero);

    private readonly string _root = Directory.CreateTempSubdirectory("newarbots-storage-").FullName;

    private readonly DoubtedRecordings _doubts;

    public RecordedSession()
    {
        _doubts = new(Microsoft.Extensions.Options.Options.Create(Options), TimeProvider.System);
        // The tests replace FFmpeg with scripts in this folder.
        OtherUsers.Allow(_root);
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

    public FinalizingOptions Options { get; } = new() { SecondOpinionAfter = TimeSpan.Zero };

    public string Folder => Storage.SessionFolder(Bot.UserId, Bot.Id);

    public string Recording => Storage.Recording(Bot.UserId, Bot.Id);

    public string ManifestPath => Storage.Manifest(Bot.UserId, Bot.Id);

    public string DamagedFolder => Storage.Damaged(Bot.UserId, Bot.Id);

    public string ChunkPath(int index) => Path.Combine(Folder, ChunkFormat.FileName(index));

    /// <summary>Writes the packets as 10 s chunks, the last one shorter, exactly like the recorder.</summary>
    public void Write(IReadOnlyList<byte[]> packets)
    {
        for (var index = 0; index * PacketsPerChunk < packets.Count; index++)
            WriteChunk(index, index * PacketsPerChunk, [.. packets.Skip(index * PacketsPerChunk).Take(PacketsPerChunk)]);
    }

    /// <summary>Writes one chunk with the recorder's writer, and replaces an existing one.</summary>
    /// <param name="index">The chunk's number.</param>
    /// <param name="firstPacket">The start position in its tags.</param>
    /// <param name="packets">The audio.</param>
    /// <param name="session">The session id in its tags.</param>
    /// <param name="ended">False if the recorder was killed.</param>
    /// <param name="completed">Closed right after its last flush, before it reached the full chunk length.</param>
    public void WriteChunk(
        int index, long firstPacket, IReadOnlyList<byte[]> packets, SessionId? session = null, bool ended = true, bool completed = false)
    {
        Directory.CreateDirectory(Folder);
        File.Delete(ChunkPath(index));
        var length = packets.Count * TimeLinePosition.PacketLength;
        using var writer = new ChunkWriter(Folder, session ?? Bot.Id, ended ? length : 2 * length, new(Start, firstPacket, index));
        foreach (var packet in packets)
            writer.Append(packet);
        writer.Flush();
        if (completed)
            writer.Complete();
    }

    public string TrackFolder(int track) => Path.Combine(Folder, StorageLayout.TrackFolderName(track));

    /// <summary>Writes a single track with the recorder's writer.</summary>
    /// <param name="track">The track's number.</param>
    /// <param name="first">Position of its first packet in the recording.</param>
    /// <param name="packets">The audio.</param>
    /// <param name="ended">False if the recorder was killed.</param>
    public void WriteTrack(int track, long first, IReadOnlyList<byte[]> packets, bool ended = true)
    {
        Directory.CreateDirectory(TrackFolder(track));
        using var writer = new ChunkWriter(TrackFolder(track), Bot.Id, ChunkFormat.DefaultLength, new(new TimeLinePosition(Start).At(first)));
        foreach (var packet in packets)
            writer.Append(packet);
        writer.Flush();
        if (ended)
            writer.Complete();
    }

    public void WriteJournal(params string[] lines) => File.WriteAllText(Path.Combine(Folder, Journal.FileName), string.Join('\n', lines));

    /// <summary>Replaces FFmpeg with a shell script.</summary>
    public void UseFFmpegScript(string body)
    {
        var path = Path.Combine(_root, "ffmpeg");
        File.WriteAllText(path, $"#!/bin/sh\n{body}\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, (UnixFileMode)0b111_101_101);
        Options.FFmpegPath = path;
    }

    public FFmpeg FFmpeg() => new(Microsoft.Extensions.Options.Options.Create(Options), new(TimeProvider.System), NullLogger<FFmpeg>.Instance);

    public RecordingFinalizer Finalizer() => new(
        Storage,
        TestManager.Folders(Storage),
        new(new(TimeProvider.System), TimeProvider.System, NullLogger<AssemblyProcess>.Instance),
        _doubts,
        new(Storage),
        new(TimeProvider.System),
        Microsoft.Extensions.Options.Options.Create(Options),
        TimeProvider.System,
        NullLogger<RecordingFinalizer>.Instance);

    /// <summary>One attempt.</summary>
    public Task<FinalizationResult> FinalizeAsync() => Finalizer().FinalizeAsync(Bot, TestContext.Current.CancellationToken);

    /// <summary>FFmpeg reports invalid audio: one attempt reports it, another decides.</summary>
    public async Task<FinalizationResult> FinalizeTwiceAsync()
    {
        await Assert.ThrowsAsync<SecondOpinionException>(FinalizeAsync);
        return await FinalizeAsync();
    }

    public async Task<FinalizationResult.Recorded> RecordAsync() => Assert.IsType<FinalizationResult.Recorded>(await FinalizeAsync());

    public RecordingManifest Manifest() => RecordingManifest.TryRead(ManifestPath) ?? throw new InvalidOperationException("The manifest is missing or invalid.");

    /// <summary>Decodes the recording with FFmpeg to one value per sample, at 48 kHz.</summary>
    public Task<short[]> DecodeAsync() => DecodeAsync(Recording);

    /// <summary>Decodes the packets as one stream, like a player.</summary>
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

    public static async Task<short[]> DecodeAsync(string path)
    {
        using var pcm = new MemoryStream();
        await Cli.Wrap("ffmpeg")
            .WithArguments(["-nostdin", "-loglevel", "error", "-i", path, "-f", "s16le", "pipe:1"])
            .WithStandardOutputPipe(PipeTarget.ToStream(pcm))
            .ExecuteAsync();
        return System.Runtime.InteropServices.MemoryMarshal.Cast<byte, short>(pcm.ToArray()).ToArray();
    }
}
