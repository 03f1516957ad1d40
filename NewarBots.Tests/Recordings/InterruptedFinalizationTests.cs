using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Recordings;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Recordings;

public sealed class InterruptedFinalizationTests : IDisposable
{
    private readonly RecordedSession _session = new();
    private readonly string _chunks = Directory.CreateTempSubdirectory("newarbots-chunks-").FullName;

    public void Dispose()
    {
        _session.Dispose();
        Directory.Delete(_chunks, recursive: true);
    }

    [Fact]
    public async Task An_attempt_killed_while_assembling_does_not_affect_the_next()
    {
        var whole = await RecordOnceAsync();
        File.Delete(_session.Recording);
        File.Delete(_session.ManifestPath);
        var work = Path.Combine(Path.GetDirectoryName(_session.Recording)!, $".{_session.Bot.Id}.finalizing");
        Directory.CreateDirectory(work);
        await File.WriteAllTextAsync(Path.Combine(work, "recording.ogg"), "incomplete");
        RestoreChunks();

        await AssertRepeatGivesAsync(whole);

        Assert.False(Directory.Exists(work));
    }

    [Fact]
    public async Task An_attempt_killed_before_writing_the_manifest_is_repeated()
    {
        var whole = await RecordOnceAsync();
        File.Delete(_session.ManifestPath);
        await File.AppendAllTextAsync(_session.Recording, "stale");
        RestoreChunks();

        await AssertRepeatGivesAsync(whole);
    }

    [Fact]
    public async Task An_attempt_killed_before_or_while_deleting_the_chunks_is_completed()
    {
        var whole = await RecordOnceAsync();

        RestoreChunks();
        await AssertRepeatGivesAsync(whole);

        RestoreChunks();
        File.Delete(_session.ChunkPath(0));
        await AssertRepeatGivesAsync(whole);

        await AssertRepeatGivesAsync(whole);
    }

    [Fact]
    public async Task Chunks_that_are_not_in_the_published_recording_are_never_deleted()
    {
        await RecordOnceAsync();
        _session.WriteChunk(2, 1000, await OpusPackets.OfToneAsync(50));

        await _session.RecordAsync();

        Assert.True(File.Exists(_session.ChunkPath(2)));
    }

    [Fact]
    public async Task An_invalid_manifest_is_replaced_while_chunks_exist()
    {
        var whole = await RecordOnceAsync();
        await File.WriteAllTextAsync(_session.ManifestPath, "{");
        RestoreChunks();

        await AssertRepeatGivesAsync(whole);
    }

    [Fact]
    public async Task A_recording_without_manifest_and_chunks_is_left_unchanged()
    {
        await RecordOnceAsync();
        File.Delete(_session.ManifestPath);

        await Assert.ThrowsAsync<FinalizationException>(_session.FinalizeAsync);

        Assert.True(File.Exists(_session.Recording));
    }

    [Fact]
    public async Task A_published_recording_determines_the_end_reason_of_its_bot()
    {
        await RecordOnceAsync();
        _session.Bot = _session.Bot with { Reason = EndReason.RecorderCrashed, EndedCleanly = false, Error = "The container vanished." };

        var ended = BotLifecycle.Finalized(_session.Bot, await _session.RecordAsync(), RecordedSession.Start);

        Assert.Equal((EndReason.EveryoneLeft, null), (ended.Reason, ended.Error));
        Assert.True(ended.Recording!.Complete);
    }

    /// <param name="attempt">The other manager's attempt number: the same number if Redis was emptied in between.</param>
    [Theory]
    [InlineData(2)]
    [InlineData(1)]
    public async Task An_attempt_that_lost_its_lease_does_not_disturb_the_attempt_of_another_manager(int attempt)
    {
        _session.Write(await OpusPackets.OfToneAsync(777));
        var (runs, go) = (Path.Combine(_session.Storage.Root, "runs"), Path.Combine(_session.Storage.Root, "go"));
        // Each attempt has another user.
        await File.WriteAllTextAsync(runs, string.Empty);
        OtherUsers.Allow(runs);
        _session.UseFFmpegScript($"echo >> {runs}; until [ -e {go} ]; do sleep 0.02; done; exec ffmpeg \"$@\"");
        using var lost = new CancellationTokenSource();
        var finalizer = _session.Finalizer();

        var suspended = finalizer.FinalizeAsync(_session.Bot with { FinalizationAttempt = 1 }, lost.Token);
        await Eventually.TrueAsync(() => File.ReadAllLines(runs).Length == 1);
        var next = finalizer.FinalizeAsync(_session.Bot with { FinalizationAttempt = attempt }, CancellationToken.None);
        await Eventually.TrueAsync(() => File.ReadAllLines(runs).Length == 2);
        await lost.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => suspended);
        await File.WriteAllTextAsync(go, string.Empty);

        Assert.Equal(15.54, Assert.IsType<FinalizationResult.Recorded>(await next).Recording.DurationSeconds);
        Assert.Equal(2, Directory.GetFileSystemEntries(Path.GetDirectoryName(_session.Recording)!).Length);
    }

    [Fact]
    public async Task Publishing_after_losing_the_lease_does_not_change_what_another_manager_published()
    {
        var tone = await OpusPackets.OfToneAsync(100);
        _session.Write(tone);
        _session.WriteTrack(1, first: 0, tone);
        await _session.RecordAsync();
        var before = FilesOf(Path.GetDirectoryName(_session.Recording)!);
        var final = new FinalRecording(_session.Storage, _session.Bot.UserId, _session.Bot.Id, attempt: 1);

        using (var work = final.MakeWorkFolder())
            Assert.Throws<FileNotFoundException>(() => final.Publish(new("recording.ogg", new([], [], []), default), [], _session.Manifest(), work));

        Assert.Equal(before, FilesOf(Path.GetDirectoryName(_session.Recording)!));
        Assert.NotNull(await final.FindAsync(TestContext.Current.CancellationToken));

        static List<string> FilesOf(string folder) => [.. Directory.GetFileSystemEntries(folder).Order(StringComparer.Ordinal)];
    }

    /// <param name="run">The run of FFmpeg in which the first attempt is cancelled: 1 assembles, 2 decodes. At 0, it is cancelled before.</param>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_repeat_gives_the_same_result_wherever_the_first_attempt_was_cancelled(int run)
    {
        var whole = await RecordOnceAsync();
        File.Delete(_session.Recording);
        File.Delete(_session.ManifestPath);
        RestoreChunks();
        var runs = Path.Combine(_session.Storage.Root, "runs");
        await File.WriteAllTextAsync(runs, string.Empty);
        OtherUsers.Allow(runs);
        _session.UseFFmpegScript($"echo >> {runs}; [ $(wc -l < {runs}) -lt {run} ] || exec sleep 1000; exec ffmpeg \"$@\"");
        using var interruption = new CancellationTokenSource();
        if (run == 0)
            await interruption.CancelAsync();

        var attempt = _session.Finalizer().FinalizeAsync(_session.Bot, interruption.Token);
        await Eventually.TrueAsync(() => File.ReadAllLines(runs).Length == run);
        await interruption.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => attempt);

        Assert.False(File.Exists(_session.ManifestPath));
        _session.Options.FFmpegPath = "ffmpeg";
        await AssertRepeatGivesAsync(whole);
    }

    private async Task<(byte[] Audio, string Manifest)> RecordOnceAsync()
    {
        _session.Write(await OpusPackets.OfToneAsync(777));
        foreach (var file in Directory.GetFiles(_session.Folder))
            File.Copy(file, Path.Combine(_chunks, Path.GetFileName(file)));
        await _session.RecordAsync();
        return (await File.ReadAllBytesAsync(_session.Recording), await File.ReadAllTextAsync(_session.ManifestPath));
    }

    private void RestoreChunks()
    {
        Directory.CreateDirectory(_session.Folder);
        foreach (var file in Directory.GetFiles(_chunks))
            File.Copy(file, Path.Combine(_session.Folder, Path.GetFileName(file)), overwrite: true);
    }

    private async Task AssertRepeatGivesAsync((byte[] Audio, string Manifest) whole)
    {
        var result = await _session.RecordAsync();

        Assert.Equal(15.54, result.Recording.DurationSeconds);
        Assert.Equal(2, result.Chunks);
        Assert.Equal(whole.Audio, await File.ReadAllBytesAsync(_session.Recording));
        Assert.Equal(whole.Manifest, await File.ReadAllTextAsync(_session.ManifestPath));
        Assert.False(Directory.Exists(_session.Folder));
        Assert.Equal(2, Directory.GetFileSystemEntries(Path.GetDirectoryName(_session.Recording)!).Length);
    }
}
