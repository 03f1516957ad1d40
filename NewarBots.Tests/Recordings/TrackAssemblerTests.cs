using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Recordings;
using NewarBots.Recorder.Recording;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Recordings;

public sealed class TrackAssemblerTests : IDisposable
{
    private readonly RecordedSession _session = new();

    public void Dispose() => _session.Dispose();

    [Fact]
    public async Task Each_track_becomes_a_file_with_its_start_and_participant_in_the_manifest()
    {
        var tone = await OpusPackets.OfToneAsync(1500);
        _session.Write(tone);
        _session.WriteTrack(1, 0, tone);
        _session.WriteTrack(12, 777, [.. tone.Take(600)]);
        _session.WriteJournal(
            Journal.Format(new(Speech: new("track:12", 16, 17, -20, "Ada"))), Journal.Format(new(Speech: new("track:1", 1, 2, -20))));

        var result = await _session.RecordAsync();

        Assert.True(result.Recording.Complete);
        var tracks = _session.Manifest().Tracks;
        Assert.Equal(
            [(1, null, 0d, 30d), (12, "Ada", 15.54, 12d)],
            tracks.Select(track => (track.Track, track.Name, track.StartSeconds!.Value, track.DurationSeconds!.Value)));
        Assert.All(tracks, track => Assert.Empty(track.Gaps));
        Assert.Equal([$"{_session.Bot.Id}.track-1.ogg", $"{_session.Bot.Id}.track-12.ogg"], tracks.Select(track => track.File));
        foreach (var track in tracks)
        {
            var path = FileOf(track.Track);
            var content = await File.ReadAllBytesAsync(path);
            Assert.Equal((track.Bytes, track.Sha256), (content.Length, Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(content))));
            Assert.Equal(
                await _session.DecodeAsync(tone.Take((int)(track.DurationSeconds!.Value * 50))), await RecordedSession.DecodeAsync(path));
        }

        Assert.Empty(_session.Manifest().Ignored);
        Assert.False(Directory.Exists(_session.Folder));
    }

    [Fact]
    public async Task Flushed_audio_of_a_killed_recorder_is_in_the_track_file_and_damage_becomes_a_gap()
    {
        var tone = await OpusPackets.OfToneAsync(1500);
        _session.Write(tone);
        _session.WriteTrack(1, 250, [.. tone.Take(1100)], ended: false);
        using (var torn = File.OpenWrite(Path.Combine(_session.TrackFolder(1), ChunkFormat.FileName(2))))
            torn.SetLength(torn.Length - 7);
        File.Delete(Path.Combine(_session.TrackFolder(1), ChunkFormat.FileName(1)));

        await _session.RecordAsync();

        var track = Assert.Single(_session.Manifest().Tracks);
        Assert.Equal((5d, 21d), (track.StartSeconds, track.DurationSeconds));
        Assert.Equal([new Gap(15, 25, "chunk_missing")], track.Gaps);
        Assert.Empty(_session.Manifest().Gaps);
        Assert.False(Directory.Exists(_session.Folder));
    }

    [Fact]
    public async Task A_track_that_cannot_be_assembled_affects_only_itself_and_keeps_its_chunks()
    {
        var tone = await OpusPackets.OfToneAsync(100);
        _session.Write(tone);
        _session.WriteTrack(1, 0, tone);
        _session.WriteTrack(2, 0, Undecodable(100));
        _session.WriteTrack(3, 0, tone);
        Directory.CreateDirectory(_session.TrackFolder(4));
        await File.WriteAllTextAsync(Path.Combine(_session.TrackFolder(4), ChunkFormat.FileName(0)), "garbage");
        Directory.CreateDirectory(_session.TrackFolder(5));

        var first = Assert.IsType<FinalizationResult.Recorded>(await _session.FinalizeTwiceAsync());
        var again = await _session.RecordAsync();

        Assert.Equivalent(first, again);
        Assert.True(first.Recording.Complete);
        Assert.Equal(
            [(1, null), (2, TrackProblem.Undecodable), (3, null), (4, TrackProblem.Unreadable)],
            _session.Manifest().Tracks.Select(track => (track.Track, track.Problem)));
        Assert.Equal([1, 3], Enumerable.Range(1, 5).Where(track => File.Exists(FileOf(track))));
        Assert.True(File.Exists(Path.Combine(_session.DamagedFolder, "track_2", ChunkFormat.FileName(0))));
        Assert.False(Directory.Exists(_session.Folder));
    }

    [Fact]
    public async Task Chunks_of_a_track_without_a_usable_one_are_kept_and_the_cause_is_named()
    {
        var tone = await OpusPackets.OfToneAsync(100);
        _session.Write(tone);
        _session.WriteTrack(1, 0, tone);
        foreach (var track in (int[])[2, 3, 4])
            Directory.CreateDirectory(_session.TrackFolder(track));
        await File.WriteAllTextAsync(ChunkOf(2), "garbage");
        using (var writer = new ChunkWriter(_session.TrackFolder(3), SessionId.New(TimeProvider.System), ChunkFormat.DefaultLength, new(RecordedSession.Start)))
        {
            foreach (var packet in tone)
                writer.Append(packet);
            writer.Flush();
        }

        await File.WriteAllBytesAsync(ChunkOf(4), new byte[ChunkFolder.MaxChunkBytes + 1]);

        await _session.RecordAsync();

        Assert.Equal(
            [(1, null), (2, TrackProblem.Unreadable), (3, TrackProblem.OtherSession), (4, TrackProblem.TooBig)],
            _session.Manifest().Tracks.Select(track => (track.Track, track.Problem)));
        Assert.Equal(["track_2/chunk_00000.ogg", "track_3/chunk_00000.ogg"], _session.Manifest().Damaged);
        Assert.Equal("garbage", await File.ReadAllTextAsync(Path.Combine(_session.DamagedFolder, "track_2", ChunkFormat.FileName(0))));
        Assert.True(File.Exists(Path.Combine(_session.DamagedFolder, "track_3", ChunkFormat.FileName(0))));
        Assert.False(Directory.Exists(_session.Folder));

        string ChunkOf(int track) => Path.Combine(_session.TrackFolder(track), ChunkFormat.FileName(0));
    }

    [Fact]
    public async Task Chunks_of_tracks_beyond_the_limit_are_kept()
    {
        var tone = await OpusPackets.OfToneAsync(100);
        _session.Write(tone);
        for (var track = 1; track <= RecordingBudget.MaxTracks; track++)
        {
            Directory.CreateDirectory(_session.TrackFolder(track));
            await File.WriteAllTextAsync(Path.Combine(_session.TrackFolder(track), ChunkFormat.FileName(0)), "garbage");
        }

        _session.WriteTrack(RecordingBudget.MaxTracks + 1, 0, tone);

        await _session.RecordAsync();

        Assert.Equal(TrackProblem.TooMany, _session.Manifest().Tracks[^1].Problem);
        Assert.True(File.Exists(Path.Combine(_session.DamagedFolder, $"track_{RecordingBudget.MaxTracks + 1}", ChunkFormat.FileName(0))));
        Assert.False(Directory.Exists(_session.Folder));
    }

    [Fact]
    public async Task Folders_and_links_that_are_no_track_folders_are_ignored()
    {
        var tone = await OpusPackets.OfToneAsync(50);
        _session.Write(tone);
        _session.WriteTrack(7, 0, tone);
        Directory.Move(_session.TrackFolder(7), Path.Combine(_session.Folder, "track_007"));
        using var other = new RecordedSession();
        other.WriteTrack(1, 0, tone);
        Directory.CreateSymbolicLink(_session.TrackFolder(1), other.TrackFolder(1));
        Directory.CreateDirectory(_session.TrackFolder(2));
        File.CreateSymbolicLink(
            Path.Combine(_session.TrackFolder(2), ChunkFormat.FileName(0)), Path.Combine(other.TrackFolder(1), ChunkFormat.FileName(0)));
        await File.WriteAllTextAsync(_session.TrackFolder(3), "a file");

        await _session.RecordAsync();

        Assert.Empty(_session.Manifest().Tracks);
        Assert.Equal(
            [("track_007", IgnoreReason.Folder), ("track_1", IgnoreReason.SymbolicLink), ("track_3", IgnoreReason.NotAChunk)],
            _session.Manifest().Ignored.Select(ignored => (ignored.File, ignored.Why)));
        Assert.Single(Directory.GetFiles(other.TrackFolder(1)));
    }

    [Fact]
    public async Task Tracks_without_a_mix_make_no_recording_and_are_kept()
    {
        _session.WriteTrack(1, 0, await OpusPackets.OfToneAsync(50));

        Assert.IsType<FinalizationResult.NothingRecorded>(await _session.FinalizeAsync());

        Assert.Single(Directory.GetFiles(_session.TrackFolder(1)));
    }

    [Fact]
    public async Task Track_files_of_an_interrupted_attempt_are_replaced()
    {
        var tone = await OpusPackets.OfToneAsync(50);
        _session.Write(tone);
        _session.WriteTrack(1, 0, tone);
        Directory.CreateDirectory(Path.GetDirectoryName(_session.Recording)!);
        foreach (var track in new[] { 1, 2 })
            await File.WriteAllTextAsync(FileOf(track), "incomplete");

        await _session.RecordAsync();

        Assert.Equal(50 * 960, (await RecordedSession.DecodeAsync(FileOf(1))).Length);
        Assert.False(File.Exists(FileOf(2)));
    }

    private string FileOf(int track) => _session.Storage.Track(_session.Bot.UserId, _session.Bot.Id, track);

    /// <summary>Packets with two frames of 10 ms, the first longer than the packet: only a decoder detects that.</summary>
    private static List<byte[]> Undecodable(int count) => [.. Enumerable.Range(0, count).Select(_ => (byte[])[0xF2, 250, .. new byte[58]])];
}
