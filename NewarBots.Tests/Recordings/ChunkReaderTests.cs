using System.Security.Cryptography;
using CsCheck;
using NewarBots.Manager.Recordings;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Recordings;

public sealed class ChunkReaderTests : IDisposable
{
    private const int FirstPacket = 1500;

    private readonly RecordedSession _session = new();

    private string Path => _session.ChunkPath(3);

    public void Dispose() => _session.Dispose();

    [Fact]
    public async Task An_intact_chunk_is_read_with_its_position_and_length()
    {
        await WriteAsync(packets: 477);

        var chunk = ChunkReader.Read(Path, 3);

        Assert.Equal(
            new OggOpusChunk(3, new FileInfo(Path).Length, Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Path))))
            {
                Session = _session.Bot.Id.ToString(),
                StartedAt = RecordedSession.Start.AddSeconds(30),
                FirstPacket = FirstPacket,
                Packets = 477,
                Holes = chunk.Holes,
            },
            chunk);
        Assert.Empty(chunk.Holes);
    }

    [Fact]
    public async Task A_chunk_without_an_end_of_stream_page_is_intact()
    {
        _session.WriteChunk(3, FirstPacket, await OpusPackets.OfToneAsync(100), ended: false);

        var chunk = ChunkReader.Read(Path, 3);

        Assert.Equal(100, chunk.Packets);
        Assert.Null(chunk.Problem);
    }

    [Fact]
    public async Task A_chunk_that_ends_right_after_a_flush_is_intact()
    {
        _session.WriteChunk(3, FirstPacket, await OpusPackets.OfToneAsync(100), ended: false, completed: true);

        var chunk = ChunkReader.Read(Path, 3);

        Assert.Equal(100, chunk.Packets);
        Assert.Null(chunk.Problem);
    }

    [Fact]
    public async Task A_truncated_chunk_yields_exactly_its_complete_pages()
    {
        var ends = await WriteAsync(packets: 500);
        var file = File.ReadAllBytes(Path);

        Gen.Int[0, file.Length].Sample(
            cut =>
            {
                using var torn = TemporaryFile(file[..cut]);
                var chunk = ChunkReader.Read(torn.Path, 3);
                var pages = ends.Count(end => end <= cut);
                Assert.Equal(Math.Max(0, pages - 2) * 50, chunk.Packets);
                Assert.Empty(chunk.Holes);
                Assert.Equal(cut == 0 || ends.Contains(cut) ? null : ChunkProblem.TornTail, chunk.Problem);
            },
            iter: 400);
    }

    [Fact]
    public async Task A_changed_byte_loses_only_the_page_that_contains_it()
    {
        var ends = await WriteAsync(packets: 500);
        var file = File.ReadAllBytes(Path);

        Gen.Select(Gen.Int[0, file.Length - 1], Gen.Byte[1, 255]).Sample(
            (at, change) =>
            {
                var damaged = file.ToArray();
                damaged[at] ^= change;
                using var copy = TemporaryFile(damaged);
                var chunk = ChunkReader.Read(copy.Path, 3);
                var page = ends.Count(end => end <= at);
                var isLast = page == ends.Count - 1;
                Assert.Equal(isLast ? 450 : 500, chunk.Packets);
                Assert.Equal(page < 2 || isLast ? [] : [new PacketRange((page - 2) * 50, 50)], chunk.Holes);
                Assert.Equal(isLast ? ChunkProblem.TornTail : ChunkProblem.Damaged, chunk.Problem);
            },
            iter: 400);
    }

    [Fact]
    public void Arbitrary_bytes_are_read_to_the_end_without_an_error()
    {
        Gen.Byte.Array[0, 3000].Sample(
            bytes =>
            {
                using var file = TemporaryFile([.. "OggS"u8, .. bytes]);
                Assert.Equal(0, ChunkReader.Read(file.Path, 3).Packets);
            },
            iter: 200);
    }

    /// <returns>End offset of each page, starting with the two header pages.</returns>
    private async Task<List<long>> WriteAsync(int packets)
    {
        _session.WriteChunk(3, FirstPacket, await OpusPackets.OfToneAsync(packets));
        var ends = new List<long>();
        var file = File.ReadAllBytes(Path);
        for (var at = 0; at < file.Length; ends.Add(at))
            at += 27 + file[at + 26] + file.AsSpan(at + 27, file[at + 26]).ToArray().Sum(lacing => lacing);
        return ends;
    }

    private static TemporaryCopy TemporaryFile(byte[] bytes)
    {
        var copy = new TemporaryCopy(System.IO.Path.GetTempFileName());
        File.WriteAllBytes(copy.Path, bytes);
        return copy;
    }

    private sealed record TemporaryCopy(string Path) : IDisposable
    {
        public void Dispose() => File.Delete(Path);
    }
}
