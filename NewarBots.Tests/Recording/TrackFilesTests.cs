using Microsoft.Extensions.Logging.Abstractions;
using NewarBots.Contract;
using NewarBots.Recorder.Recording;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Recording;

public sealed class TrackFilesTests : IDisposable
{
    private static readonly DateTimeOffset Start = new(2026, 7, 1, 12, 0, 0, 250, TimeSpan.Zero);
    private static readonly TimeLinePosition Session = new(Start);
    private static readonly RecorderAssignment Assignment = TestManager.Assignment(SessionId.Parse("0192f0c1d2e3"), "Notes");

    private readonly string _folder = Directory.CreateTempSubdirectory("newarbots-tracks-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_late_track_starts_at_its_first_packet_with_its_own_start_time()
    {
        var tone = await PacketsAsync(1200);
        using var files = NewFiles();

        files.Write(3, Session, first: 180_000, tone);
        files.Complete();

        Assert.Equal(tone.Select(packet => packet.ToArray()), Packets(3));
        Assert.Equal(new(Start.AddHours(1), Packets: 1200, Chunks: 3), ChunkFolder.ReadPosition(FolderOf(3)));
    }

    [Fact]
    public async Task Missing_packets_become_silence_and_duplicates_are_skipped()
    {
        var tone = await PacketsAsync(100);
        using var files = NewFiles();

        files.Write(1, Session, first: 50, [.. tone.Take(40)]);
        files.Write(1, Session, first: 80, [.. tone.Skip(30).Take(20)]);
        files.Write(1, Session, first: 110, [.. tone.Skip(60)]);
        files.Complete();

        var packets = Packets(1);
        Assert.Equal(100, packets.Count);
        Assert.Equal(tone.Take(50).Select(packet => packet.ToArray()), packets.Take(50));
        Assert.Equal(3, packets[55].Length);
        Assert.Equal(tone.Skip(60).Select(packet => packet.ToArray()), packets.Skip(60));
    }

    [Fact]
    public async Task A_track_that_fails_does_not_affect_others()
    {
        var tone = await PacketsAsync(100);
        await File.WriteAllTextAsync(FolderOf(1), "no folder");
        using var files = NewFiles();

        foreach (var track in new[] { 1, 2, StorageLayout.MaxTrack + 1 })
        {
            files.Write(track, Session, first: 0, tone);
            files.Write(track, Session, first: 100, tone);
        }

        files.Write(3, Session, first: 0, [new byte[100_000]]);
        files.Write(3, Session, first: 1, tone);
        files.Flush();
        files.Complete();

        Assert.Equal(200, Packets(2).Count);
        Assert.Equal(["track_1", "track_2", "track_3"], Directory.GetFileSystemEntries(_folder).Select(Path.GetFileName).Order());
        Assert.Empty(Directory.GetFiles(FolderOf(3)));
    }

    [Fact]
    public async Task An_idle_track_is_closed_and_continues_at_the_right_position()
    {
        var tone = await PacketsAsync(50);
        using var files = NewFiles();
        files.Write(1, Session, first: 0, tone);

        files.CloseIdle(Start.AddSeconds(10));
        Assert.False(IsEnded());
        files.CloseIdle(Start.AddSeconds(12));
        Assert.True(IsEnded());
        files.Write(1, Session, first: 600, tone);
        files.Complete();

        Assert.Equal(650, Packets(1).Count);
        Assert.Equal(tone.Select(packet => packet.ToArray()), Packets(1).Skip(600));

        bool IsEnded() => File.ReadAllBytes(Path.Combine(FolderOf(1), ChunkFormat.FileName(0))) is var ogg
            && (ogg[OggFiles.PageEnds(ogg).SkipLast(1).Last() + 5] & 4) != 0;
    }

    private TrackFiles NewFiles() => new(_folder, Assignment, NullLogger<TrackFiles>.Instance);

    private string FolderOf(int track) => Path.Combine(_folder, StorageLayout.TrackFolderName(track));

    private List<byte[]> Packets(int track) =>
        [.. Directory.GetFiles(FolderOf(track)).Order().SelectMany(path => OggFiles.ReadPackets(File.ReadAllBytes(path)).Skip(2))];

    private static async Task<IReadOnlyList<ReadOnlyMemory<byte>>> PacketsAsync(int count) =>
        [.. (await OpusPackets.OfToneAsync(count)).Select(packet => new ReadOnlyMemory<byte>(packet))];
}
