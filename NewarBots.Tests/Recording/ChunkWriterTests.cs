using System.Text;
using CsCheck;
using NewarBots.Contract;
using NewarBots.Recorder.Recording;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Recording;

public sealed class ChunkWriterTests : IDisposable
{
    private static readonly SessionId Session = SessionId.Parse("0192f0c1d2e3");
    private static readonly DateTimeOffset Start = new(2026, 7, 1, 12, 0, 0, 250, TimeSpan.Zero);

    private readonly string _folder = Directory.CreateTempSubdirectory("newarbots-chunks-").FullName;

    [Fact]
    public async Task Chunks_have_exactly_the_configured_length_and_play_on_their_own()
    {
        var packets = await OpusPackets.OfToneAsync(1500);

        Write(packets.Take(1230));

        var seconds = await Task.WhenAll(ChunkFiles.Select(async path => (await OggFiles.DecodeAsync(path)).Length / 48_000.0));
        Assert.Equal([10, 10, 4.6], seconds);
    }

    [Fact]
    public async Task Concatenated_chunks_are_one_stream_without_a_seam()
    {
        var packets = await OpusPackets.OfToneAsync(1500);
        Write(packets.Take(1230));
        var target = Path.Combine(_folder, "all.ogg");

        await OggFiles.ConcatenateAsync(ChunkFiles, target);

        Assert.Equal(1230 * 960, (await OggFiles.DecodeAsync(target)).Length);
        Assert.Equal(packets.Take(1230), OggFiles.ReadPackets(await File.ReadAllBytesAsync(target)).Skip(2));
    }

    [Fact]
    public async Task A_chunk_truncated_after_any_page_plays_up_to_that_page()
    {
        var packets = await OpusPackets.OfToneAsync(1500);
        using var writer = NewWriter();
        foreach (var packet in packets.Take(230))
            writer.Append(packet);
        writer.Flush();
        var file = await File.ReadAllBytesAsync(ChunkFiles[0]);

        var lengths = new List<int>();
        foreach (var end in OggFiles.PageEnds(file).Skip(2))
        {
            var cut = Path.Combine(_folder, "cut.ogg");
            await File.WriteAllBytesAsync(cut, file[..end]);
            lengths.Add((await OggFiles.DecodeAsync(cut)).Length / 960);
        }

        Assert.Equal([50, 100, 150, 200, 230], lengths);
    }

    [Fact]
    public async Task A_chunk_completed_after_its_last_flush_plays_completely()
    {
        var packets = await OpusPackets.OfToneAsync(1500);
        using var writer = NewWriter();
        foreach (var packet in packets.Take(75))
            writer.Append(packet);
        writer.Flush();

        writer.Complete();

        Assert.Equal(75 * 960, (await OggFiles.DecodeAsync(ChunkFiles[0])).Length);
    }

    [Fact]
    public async Task A_chunk_has_tags_for_session_start_and_first_packet()
    {
        Write((await OpusPackets.OfToneAsync(1500)).Take(501));

        var tags = Encoding.UTF8.GetString(OggFiles.ReadPackets(await File.ReadAllBytesAsync(ChunkFiles[1])).ElementAt(1));

        Assert.Contains($"{ChunkFormat.SessionTag}=0192f0c1d2e3", tags, StringComparison.Ordinal);
        Assert.Contains($"{ChunkFormat.StartTag}=2026-07-01T12:00:10.250Z", tags, StringComparison.Ordinal);
        Assert.EndsWith($"{ChunkFormat.FirstPacketTag}=500", tags, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Silence_is_silent_and_has_its_length()
    {
        using var writer = NewWriter();

        writer.AppendSilence(100);
        writer.Complete();

        var samples = await OggFiles.DecodeAsync(ChunkFiles[0]);
        Assert.Equal(100 * 960, samples.Length);
        Assert.All(samples, sample => Assert.InRange(sample, (short)-1, (short)1));
    }

    [Fact]
    public async Task A_recorder_that_is_restarted_overwrites_nothing()
    {
        var tone = await OpusPackets.OfToneAsync(50);
        Write(tone);
        var before = await File.ReadAllBytesAsync(ChunkFiles[0]);

        Assert.Throws<IOException>(() => Write(tone));

        Assert.Equal(before, await File.ReadAllBytesAsync(Assert.Single(ChunkFiles)));
    }

    [Fact]
    public void Every_appended_packet_is_written_once_and_in_order() =>
        Gen.Select(Gen.Byte.Array[0, 1275].Array[1, 120], Gen.Int[1, 40], Gen.Int[1, 10]).Sample(
            (packets, packetsPerChunk, flushEach) =>
            {
                var folder = Directory.CreateTempSubdirectory("newarbots-property-").FullName;
                try
                {
                    using (var writer = new ChunkWriter(folder, Session, packetsPerChunk * TimeLinePosition.PacketLength, new(Start)))
                    {
                        for (var i = 0; i < packets.Length; i++)
                        {
                            writer.Append(packets[i]);
                            if (i % flushEach == 0)
                                writer.Flush();
                        }

                        writer.Complete();
                    }

                    var files = Directory.GetFiles(folder).Order().ToList();
                    var written = files.Select(path => OggFiles.ReadPackets(File.ReadAllBytes(path)).Skip(2).ToList()).ToList();
                    Assert.Equal(packets, written.SelectMany(chunk => chunk));
                    Assert.All(written.SkipLast(1), chunk => Assert.Equal(packetsPerChunk, chunk.Count));
                    Assert.Equal(new TimeLinePosition(Start, packets.Length, files.Count), ChunkFolder.ReadPosition(folder));
                }
                finally
                {
                    Directory.Delete(folder, recursive: true);
                }
            },
            iter: 60);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private List<string> ChunkFiles => Directory.GetFiles(_folder, "chunk_*").Order().ToList();

    private ChunkWriter NewWriter() => new(_folder, Session, ChunkFormat.DefaultLength, new(Start));

    private void Write(IEnumerable<byte[]> packets)
    {
        using var writer = NewWriter();
        foreach (var packet in packets)
            writer.Append(packet);
        writer.Complete();
    }
}
