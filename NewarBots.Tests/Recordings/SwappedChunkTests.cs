using System.Security.Cryptography;
using NewarBots.Contract;
using NewarBots.Contract.Ogg;
using NewarBots.Manager.Recordings;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Recordings;

/// <summary>Something still changes the session folder while its chunks become a recording.</summary>
public sealed class SwappedChunkTests : IDisposable
{
    private const int Swapped = 3;

    private readonly RecordedSession _session = new();
    private readonly string _elsewhere = Directory.CreateTempSubdirectory("newarbots-elsewhere-").FullName;

    private string Target => Path.Combine(_elsewhere, "target.ogg");

    public void Dispose()
    {
        _session.Dispose();
        Directory.Delete(_elsewhere, recursive: true);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task A_chunk_that_is_swapped_with_a_link_all_the_time_is_never_read_through_the_link(int round)
    {
        // The target would be a valid chunk of this session.
        _session.WriteChunk(Swapped, Swapped * RecordedSession.PacketsPerChunk, [.. (await OpusPackets.OfToneAsync(1000)).Skip(round).Take(500)]);
        File.Move(_session.ChunkPath(Swapped), Target);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(Target, UnixFileMode.UserRead | UnixFileMode.OtherRead);
        var target = (Sha256: Sha256(Target), new FileInfo(Target).UnixFileMode, new FileInfo(Target).LastWriteTimeUtc);
        _session.Write(await OpusPackets.OfToneAsync(5000));
        var own = Sha256(_session.ChunkPath(Swapped));
        Assert.NotEqual(own, target.Sha256);

        using var ended = new CancellationTokenSource();
        var swapping = Task.Factory.StartNew(() => Swap(ended.Token), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        var result = await Record.ExceptionAsync(_session.FinalizeAsync);
        await ended.CancelAsync();
        await swapping;

        Assert.True(result is null or FinalizationException or SecondOpinionException, $"{result}");
        Assert.Equal(target, (Sha256(Target), new FileInfo(Target).UnixFileMode, new FileInfo(Target).LastWriteTimeUtc));
        // As after an interruption.
        await _session.RecordAsync();
        var manifest = _session.Manifest();
        Assert.DoesNotContain(manifest.Chunks, chunk => chunk.Sha256 == target.Sha256);
        Assert.Equal(9, manifest.Chunks.Count(chunk => chunk is { Problem: null } && chunk.Index != Swapped));
        Assert.All(manifest.Chunks.Where(chunk => chunk.Index == Swapped), chunk => Assert.Equal(own, chunk.Sha256));
        Assert.All(
            Directory.EnumerateFileSystemEntries(_session.Storage.FinalFolder(_session.Bot.UserId), "*", SearchOption.AllDirectories),
            entry => Assert.Null(new FileInfo(entry).LinkTarget));
        Assert.Equal(target.Sha256, Sha256(Target));
    }

    /// <summary>FFmpeg is under a recorder's control, say, and replaces a chunk right before it joins all of them.</summary>
    [Theory]
    [InlineData("ln -sf")]
    [InlineData("cp")]
    public async Task A_chunk_that_is_swapped_while_FFmpeg_runs_is_not_in_the_recording(string swap)
    {
        // A valid chunk of this session, of the same length, with other audio.
        _session.WriteChunk(Swapped, Swapped * RecordedSession.PacketsPerChunk, [.. Enumerable.Repeat(OpusHeaders.SilencePacket.ToArray(), RecordedSession.PacketsPerChunk)]);
        File.Move(_session.ChunkPath(Swapped), Target);
        OtherUsers.Allow(_elsewhere);
        OtherUsers.Allow(Target);
        var tone = await OpusPackets.OfToneAsync(3000);
        _session.Write(tone);
        var own = Sha256(_session.ChunkPath(Swapped));
        _session.UseFFmpegScript($"""case "$*" in *concat*) {swap} '{Target}' '{_session.ChunkPath(Swapped)}' && touch '{_elsewhere}/swapped';; esac; exec ffmpeg "$@" """);

        await _session.RecordAsync();

        Assert.True(File.Exists(Path.Combine(_elsewhere, "swapped")));
        Assert.Equal(own, _session.Manifest().Chunks[Swapped].Sha256);
        Assert.Equal(await _session.DecodeAsync(tone), await _session.DecodeAsync());
    }

    [Fact]
    public async Task A_chunk_that_changed_after_it_was_read_counts_as_invalid_audio()
    {
        _session.Write(await OpusPackets.OfToneAsync(1000));
        var plan = ChunkManifest.Plan(
            _session.Bot.Id, [ChunkReader.Read(_session.ChunkPath(0), 0), ChunkReader.Read(_session.ChunkPath(1), 1)], SessionJournal.Empty, maxPackets: 1000);
        File.Copy(_session.ChunkPath(0), _session.ChunkPath(1), overwrite: true);
        using var files = new PieceFiles(SessionFolder.Open(_session.Folder), _elsewhere);

        Assert.Equal(ChunkFormat.FileName(0), files.Write(plan.Pieces[0]));
        Assert.Throws<BadAudioException>(() => files.Write(plan.Pieces[1]));

        files.Dispose();
        Assert.Empty(Directory.GetFiles(_elsewhere));
    }

    private void Swap(CancellationToken ended)
    {
        var (chunk, aside, link) = (_session.ChunkPath(Swapped), Path.Combine(_elsewhere, "aside"), Path.Combine(_elsewhere, "link"));
        File.CreateSymbolicLink(link, Target);
        while (!ended.IsCancellationRequested)
        {
            try
            {
                File.Move(chunk, aside, overwrite: true);
                File.Move(link, chunk, overwrite: true);
                File.Move(chunk, link, overwrite: true);
                File.Move(aside, chunk, overwrite: true);
            }
            catch (IOException)
            {
                // The chunk or its folder has been taken. The next round may succeed.
            }
        }

        // Leaves the chunk, not the link, if the folder still exists.
        if (Directory.Exists(_session.Folder) && File.Exists(aside))
            File.Move(aside, chunk, overwrite: true);
    }

    private static string Sha256(string path) => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path)));
}
