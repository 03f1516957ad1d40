using CliWrap;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Ending;
using NewarBots.Manager.Recordings;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Recordings;

public sealed class RecordingFinalizerTests : IDisposable
{
    private readonly RecordedSession _session = new();

    public void Dispose() => _session.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(500)]
    [InlineData(777)]
    [InlineData(18_000)]
    public async Task Assembled_chunks_decode_to_the_same_samples_as_one_stream(int packets)
    {
        var tone = await OpusPackets.OfToneAsync(packets);
        _session.Write(tone);

        var result = await _session.RecordAsync();

        Assert.Equal(packets / 50.0, result.Recording.DurationSeconds);
        Assert.True(result.Recording.Complete);
        Assert.Equal((packets + 499) / 500, result.Chunks);
        Assert.Equal(await _session.DecodeAsync(tone), await _session.DecodeAsync());
        Assert.False(Directory.Exists(_session.Folder));
    }

    [Fact]
    public async Task Evidence_is_kept_beside_the_recording_without_following_links()
    {
        _session.Write(await OpusPackets.OfToneAsync(50));
        var occasion = Directory.CreateDirectory(Path.Combine(_session.Folder, "evidence", "1_browser_crashed")).FullName;
        File.WriteAllText(Path.Combine(occasion, "looks.txt"), "a call");
        File.CreateSymbolicLink(Path.Combine(occasion, "page.html"), "/etc/passwd");
        Directory.CreateSymbolicLink(Path.Combine(_session.Folder, "evidence", "2_etc"), "/etc");

        var result = await _session.RecordAsync();

        var kept = _session.Storage.Evidence(_session.Bot.UserId, _session.Bot.Id);
        Assert.Equal(Path.Combine(kept, "1_browser_crashed", "looks.txt"), Assert.Single(Directory.GetFiles(kept, "*", SearchOption.AllDirectories)));
        Assert.True(result.Recording.Complete);
        Assert.Empty(_session.Manifest().Ignored);
        Assert.False(Directory.Exists(_session.Folder));
    }

    [Fact]
    public async Task Evidence_is_kept_even_if_nothing_was_recorded()
    {
        var occasion = Directory.CreateDirectory(Path.Combine(_session.Folder, "evidence", "1_denied_by_host")).FullName;
        File.WriteAllText(Path.Combine(occasion, "looks.txt"), "a door");

        Assert.IsType<FinalizationResult.NothingRecorded>(await _session.FinalizeAsync());

        Assert.True(File.Exists(Path.Combine(_session.Storage.Evidence(_session.Bot.UserId, _session.Bot.Id), "1_denied_by_host", "looks.txt")));
        Assert.False(Directory.Exists(_session.Folder));
    }

    [Fact]
    public async Task A_truncated_last_chunk_keeps_its_complete_pages()
    {
        var tone = await OpusPackets.OfToneAsync(900);
        foreach (var keptBytes in new[] { 1, 3, 40, 140, 5_000, 20_000 })
        {
            Directory.CreateDirectory(_session.Folder);
            _session.Write(tone);
            using (var last = File.OpenWrite(_session.ChunkPath(1)))
                last.SetLength(keptBytes);
            var kept = ChunkReader.Read(_session.ChunkPath(1), 1).Packets;

            var result = await _session.RecordAsync();

            Assert.Equal((500 + kept) / 50.0, result.Recording.DurationSeconds);
            Assert.Equal(await _session.DecodeAsync(tone.Take(500 + (int)kept)), await _session.DecodeAsync());
            if (kept > 0)
                Assert.False(result.Recording.Complete);
            Delete(_session.Storage.FinalRoot);
        }
    }

    [Fact]
    public async Task Missing_damaged_duplicate_foreign_and_empty_chunks_affect_only_themselves()
    {
        var tone = await OpusPackets.OfToneAsync(3500);
        _session.Write(tone);
        File.Delete(_session.ChunkPath(1));
        Flip(_session.ChunkPath(2), 10_000);
        File.Copy(_session.ChunkPath(3), _session.ChunkPath(7));
        _session.WriteChunk(8, 4000, tone, SessionId.Parse("0199aaaabbbbccccddddeeeeffff0002"));
        File.WriteAllBytes(_session.ChunkPath(9), []);
        File.WriteAllText(_session.ChunkPath(10), "garbage");
        File.CreateSymbolicLink(_session.ChunkPath(11), "/etc/passwd");
        File.CreateSymbolicLink(_session.ChunkPath(4) + ".link", _session.ChunkPath(4));
        File.WriteAllText(Path.Combine(_session.Folder, "page.html"), "<p>");
        Directory.CreateDirectory(Path.Combine(_session.Folder, "chunk_00012.ogg"));
        _session.WriteJournal(
            Journal.Format(new(Gap: new(41, 42, "capture_stalled"))),
            Journal.Format(new(Gap: new(43, 44, "capture_stalled")))[..20]);

        var result = await _session.RecordAsync();

        var manifest = _session.Manifest();
        Assert.Equal(70, result.Recording.DurationSeconds);
        Assert.False(result.Recording.Complete);
        Assert.Equal(6, result.Chunks);
        Assert.Equal([0, 2, 3, 4, 5, 6], manifest.Chunks.Select(chunk => chunk.Index));
        Assert.Equal(ChunkProblem.Damaged, manifest.Chunks[1].Problem);
        Assert.Equal(
            [new Gap(10, 20, "chunk_missing"), manifest.Gaps[1], new Gap(41, 42, "capture_stalled")],
            manifest.Gaps);
        Assert.Equal((1, "chunk_damaged"), (manifest.Gaps[1].EndSeconds - manifest.Gaps[1].StartSeconds, manifest.Gaps[1].Cause));
        Assert.Equal(
            [
                ("chunk_00004.ogg.link", IgnoreReason.SymbolicLink),
                ("chunk_00007.ogg", IgnoreReason.Doubled),
                ("chunk_00008.ogg", IgnoreReason.OtherSession),
                ("chunk_00009.ogg", IgnoreReason.Empty),
                ("chunk_00010.ogg", IgnoreReason.Unreadable),
                ("chunk_00011.ogg", IgnoreReason.SymbolicLink),
                ("chunk_00012.ogg", IgnoreReason.Folder),
                ("page.html", IgnoreReason.NotAChunk),
            ],
            manifest.Ignored.Select(ignored => (ignored.File, ignored.Why)).Order());
        var assembled = await _session.DecodeAsync();
        var original = await _session.DecodeAsync(tone);
        Assert.Equal(original[..(10 * 48_000)], assembled[..(10 * 48_000)]);
        Assert.All(assembled[(11 * 48_000)..(20 * 48_000)], sample => Assert.InRange(sample, -1, 1));
        // The decoder needs a moment after silence to recover its state; later samples are in their places.
        Assert.True(Difference(original[(31 * 48_000)..], assembled[(31 * 48_000)..]) < 0.001);
        Assert.False(Directory.Exists(_session.Folder));
        Assert.Equal(["chunk_00002.ogg", "chunk_00008.ogg", "chunk_00010.ogg"], manifest.Damaged);
        Assert.Equal(manifest.Damaged, Directory.GetFiles(_session.DamagedFolder).Select(path => Path.GetFileName(path)).Order());
        Assert.Equal("garbage", await File.ReadAllTextAsync(Path.Combine(_session.DamagedFolder, "chunk_00010.ogg")));
        Assert.True(File.Exists("/etc/passwd"));
    }

    [Fact]
    public async Task An_undecodable_chunk_affects_only_itself()
    {
        var tone = await OpusPackets.OfToneAsync(1500);
        _session.Write(tone);
        var random = new Random(1);
        _session.WriteChunk(1, 500, [.. Enumerable.Range(0, 500).Select(_ =>
        {
            var packet = new byte[60];
            random.NextBytes(packet);
            // Two frames of 10 ms, the first longer than the packet: only a decoder detects that.
            (packet[0], packet[1]) = (0xF2, 250);
            return packet;
        })]);
        var undecodable = await File.ReadAllBytesAsync(_session.ChunkPath(1));

        var result = Assert.IsType<FinalizationResult.Recorded>(await _session.FinalizeTwiceAsync());

        Assert.Equal(30, result.Recording.DurationSeconds);
        Assert.Equal([0, 2], _session.Manifest().Chunks.Select(chunk => chunk.Index));
        Assert.Equal([new Gap(10, 20, "chunk_missing")], _session.Manifest().Gaps);
        Assert.Equal(undecodable, await File.ReadAllBytesAsync(Path.Combine(_session.DamagedFolder, "chunk_00001.ogg")));

        // As if interrupted before the chunk was moved: the repeat moves it.
        Directory.Delete(_session.DamagedFolder, recursive: true);
        Directory.CreateDirectory(_session.Folder);
        await File.WriteAllBytesAsync(_session.ChunkPath(1), undecodable);
        await _session.RecordAsync();
        Assert.Equal(undecodable, await File.ReadAllBytesAsync(Path.Combine(_session.DamagedFolder, "chunk_00001.ogg")));
        Assert.False(Directory.Exists(_session.Folder));
    }

    [Fact]
    public async Task Damaged_chunks_of_a_track_are_kept_and_deleted_with_the_bot()
    {
        var tone = await OpusPackets.OfToneAsync(1000);
        _session.Write(tone);
        _session.WriteTrack(1, first: 0, tone);
        await File.WriteAllTextAsync(Path.Combine(_session.TrackFolder(1), "chunk_00001.ogg"), "garbage");

        await _session.RecordAsync();

        Assert.Equal(["track_1/chunk_00001.ogg"], _session.Manifest().Damaged);
        Assert.True(File.Exists(Path.Combine(_session.DamagedFolder, "track_1", "chunk_00001.ogg")));
        var finals = new FinalFiles(_session.Storage, new(_session.Storage));
        Assert.Equal(_session.Bot.Id, Assert.Single(finals.List()).Id);
        finals.Delete(_session.Bot.UserId, _session.Bot.Id);
        Assert.Empty(Directory.GetFileSystemEntries(_session.Storage.FinalFolder(_session.Bot.UserId)));
    }

    [Fact]
    public async Task Very_many_files_and_deeply_nested_folders_affect_no_chunk()
    {
        _session.Write(await OpusPackets.OfToneAsync(1000));
        for (var number = 0; number < 25_000; number++)
            await File.WriteAllBytesAsync(Path.Combine(_session.Folder, $"junk{number}"), []);
        await Cli.Wrap("python3").WithWorkingDirectory(_session.Folder)
            .WithArguments(["-c", "import os\nfor level in range(3000): os.mkdir('n'); os.chdir('n')"]).ExecuteAsync();

        var result = await _session.RecordAsync();

        Assert.Equal((2, 20.0), (result.Chunks, result.Recording.DurationSeconds));
        Assert.Equal(101, _session.Manifest().Ignored.Count);
        Assert.Equal(new IgnoredFile("*", IgnoreReason.NotListed), _session.Manifest().Ignored[^1]);
        Assert.False(Directory.Exists(_session.Folder));
        TestManager.Folders(_session.Storage).EmptyDeleted(TestContext.Current.CancellationToken);
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(_session.Storage.TempRoot, ".deleted")));
    }

    [Theory]
    [InlineData("mkfifo journal.jsonl chunk_00001.ogg evidence track_1")]
    [InlineData("mknod journal.jsonl c 1 5; mknod chunk_00001.ogg c 1 5; mknod evidence c 1 5; mknod track_1 c 1 5")]
    [InlineData("for n in journal.jsonl chunk_00001.ogg evidence track_1; do ln -s /etc/passwd $n; done")]
    [InlineData("mkdir -p evidence/1_x track_1; mkfifo evidence/1_x/page.png track_1/chunk_00000.ogg; ln -s /etc/passwd evidence/1_x/passwd")]
    [InlineData("mkdir journal.jsonl chunk_00001.ogg; touch evidence track_1")]
    [InlineData("python3 -c 'import socket\nfor n in (\"journal.jsonl\", \"chunk_00001.ogg\", \"evidence\", \"track_1\"): socket.socket(socket.AF_UNIX).bind(n)'")]
    public async Task Pipes_devices_links_and_sockets_in_place_of_files_are_neither_read_nor_waited_for(string make)
    {
        _session.Write(await OpusPackets.OfToneAsync(500));
        await Cli.Wrap("sh").WithWorkingDirectory(_session.Folder).WithArguments(["-c", make]).ExecuteAsync();

        var result = await _session.RecordAsync().WaitAsync(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken);

        Assert.Equal((1, 10.0), (result.Chunks, result.Recording.DurationSeconds));
        Assert.False(Directory.Exists(_session.Storage.Evidence(_session.Bot.UserId, _session.Bot.Id)));
        Assert.False(Directory.Exists(_session.Folder));
        Assert.True(File.Exists("/etc/passwd"));
    }

    [Fact]
    public async Task A_huge_chunk_and_a_huge_journal_are_not_read_and_affect_only_themselves()
    {
        const long terabyte = 1L << 40;
        _session.Write(await OpusPackets.OfToneAsync(50));
        foreach (var huge in new[] { _session.ChunkPath(1), Path.Combine(_session.Folder, "journal.jsonl") })
        {
            await using var file = File.Create(huge);
            file.SetLength(terabyte);
        }

        var result = await _session.RecordAsync();

        Assert.Equal((1, 1.0, false), (result.Chunks, result.Recording.DurationSeconds, result.Recording.Complete));
        Assert.Equal(
            [("chunk_00001.ogg", IgnoreReason.TooBig, terabyte), ("journal.jsonl", IgnoreReason.TooBig, terabyte)],
            _session.Manifest().Ignored.Select(ignored => (ignored.File, ignored.Why, ignored.Bytes!.Value)));
        Assert.False(Directory.Exists(_session.Folder));
    }

    [Fact]
    public async Task Without_chunks_nothing_is_recorded_and_the_folder_is_deleted()
    {
        _session.WriteJournal("{}");

        Assert.IsType<FinalizationResult.NothingRecorded>(await _session.FinalizeAsync());
        Assert.IsType<FinalizationResult.NothingRecorded>(await _session.FinalizeAsync());

        Assert.False(Directory.Exists(_session.Folder));
        Assert.False(File.Exists(_session.Recording));
    }

    [Fact]
    public async Task An_unreadable_chunk_is_kept_for_inspection_and_the_end_says_so()
    {
        File.WriteAllText(_session.ChunkPath(0), "garbage");

        var result = Assert.IsType<FinalizationResult.NothingRecorded>(await _session.FinalizeAsync());

        Assert.True(File.Exists(_session.ChunkPath(0)));
        Assert.EndsWith(
            "The recorder's chunks hold no readable audio. They are kept.", BotLifecycle.Finalized(_session.Bot, result, RecordedSession.Start).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Chunks_that_cannot_be_opened_fail_the_finalization_and_are_kept()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Any other user is the owner of the chunk, and can open it.");
        _session.Write(await OpusPackets.OfToneAsync(50));
        // A file with a second name may belong elsewhere, so the process that assembles the recording does not get it.
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(_session.ChunkPath(0), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await Cli.Wrap("ln").WithArguments([_session.ChunkPath(0), Path.Combine(_session.Storage.Root, "elsewhere")]).ExecuteAsync(TestContext.Current.CancellationToken);

        var exception = await Assert.ThrowsAsync<InaccessibleChunksException>(_session.FinalizeAsync);

        Assert.Contains("denied access", exception.Explanation, StringComparison.Ordinal);
        Assert.True(File.Exists(_session.ChunkPath(0)));
    }

    [Fact]
    public async Task A_session_folder_that_is_a_symbolic_link_is_rejected()
    {
        using var other = new RecordedSession();
        other.Write(await OpusPackets.OfToneAsync(50));
        Directory.Delete(_session.Folder);
        Directory.CreateSymbolicLink(_session.Folder, other.Folder);

        await Assert.ThrowsAsync<FinalizationException>(_session.FinalizeAsync);

        Assert.True(File.Exists(other.ChunkPath(0)));
    }

    [Fact]
    public async Task Silence_does_not_count_as_audible()
    {
        var tone = await OpusPackets.OfToneAsync(500);
        _session.WriteChunk(0, 500, tone);

        var result = await _session.RecordAsync();

        Assert.Equal(20, result.Recording.DurationSeconds);
        Assert.InRange(result.AudibleSeconds, 9.9, 10.1);
    }

    private static void Delete(string folder) => Directory.Delete(folder, recursive: true);

    private static void Flip(string path, long at)
    {
        using var file = File.Open(path, FileMode.Open);
        file.Position = at;
        var value = file.ReadByte();
        file.Position = at;
        file.WriteByte((byte)(value ^ 0x55));
    }

    /// <summary>Energy of the difference, relative to the energy of the first signal.</summary>
    private static double Difference(short[] a, short[] b) =>
        a.Zip(b, (x, y) => Math.Pow(x - y, 2)).Sum() / a.Sum(x => Math.Pow(x, 2));
}
