using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using CliWrap;
using CliWrap.Buffered;
using Microsoft.Extensions.Logging.Abstractions;
using NewarBots.Contract;
using NewarBots.Contract.Ogg;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Recordings;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Recordings;

/// <summary>Files of a compromised recorder cost no more than an honest recording of the same time.</summary>
public sealed class RecordingBudgetTests : IDisposable
{
    private readonly RecordedSession _session = new();

    /// <summary>The bot was launched one minute ago.</summary>
    public RecordingBudgetTests()
    {
        var now = TimeProvider.System.GetUtcNow();
        _session.Bot = _session.Bot with { Id = SessionId.New(TimeProvider.System), CreatedAt = now - TimeSpan.FromMinutes(1), LaunchedAt = now - TimeSpan.FromMinutes(1) };
        Directory.CreateDirectory(_session.Folder);
    }

    public void Dispose() => _session.Dispose();

    [Fact]
    public async Task A_chunk_whose_positions_jump_far_is_damaged_and_adds_no_silence()
    {
        await WriteBombAsync(_session.ChunkPath(0), first: 0, packets: 1_000_000_000_000);

        var result = await _session.RecordAsync();

        Assert.Equal(1, result.Recording.DurationSeconds);
        Assert.False(result.Recording.Complete);
        Assert.Equal(ChunkProblem.Damaged, Assert.Single(_session.Manifest().Chunks).Problem);
        Assert.True(File.Exists(Path.Combine(_session.DamagedFolder, ChunkFormat.FileName(0))));
        Assert.False(Directory.Exists(_session.Folder));
    }

    [Fact]
    public async Task A_partial_recording_of_such_a_chunk_is_as_short()
    {
        await WriteBombAsync(_session.ChunkPath(0), first: 0, packets: 1_000_000_000_000);
        _session.WriteChunk(1, 500, await OpusPackets.OfToneAsync(50));
        using var partials = Partials();

        var made = Assert.IsType<PartialFile.Ready>(await partials.OpenAsync(_session.Bot, 1, TestContext.Current.CancellationToken));

        await using var file = made.File;
        Assert.Equal(50 * 960, (await RecordedSession.DecodeAsync(file.Name)).Length);
    }

    [Fact]
    public async Task A_cancelled_request_for_a_partial_recording_ends_FFmpeg_at_once()
    {
        _session.Write(await OpusPackets.OfToneAsync(600));
        var started = Path.Combine(_session.Storage.Root, "started");
        _session.UseFFmpegScript($"echo $$ > {started}; sleep 1000");
        using var partials = Partials();
        using var client = new CancellationTokenSource();
        var request = partials.OpenAsync(_session.Bot, 1, client.Token);
        await Eventually.TrueAsync(() => File.Exists(started) && new FileInfo(started).Length > 0);

        await client.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);
        var process = (await File.ReadAllTextAsync(started, TestContext.Current.CancellationToken)).Trim();
        await Eventually.TrueAsync(() => !Directory.Exists($"/proc/{process}"));
    }

    [Fact]
    public async Task Tracks_that_begin_a_day_later_start_at_the_beginning()
    {
        _session.Write(await OpusPackets.OfToneAsync(100));
        foreach (var track in (int[])[1, 2, 3])
        {
            Directory.CreateDirectory(_session.TrackFolder(track));
            await WriteBombAsync(Path.Combine(_session.TrackFolder(track), ChunkFormat.FileName(0)), first: 4_300_000, packets: 50);
        }

        await _session.RecordAsync();

        Assert.All(_session.Manifest().Tracks, track => Assert.InRange(track.DurationSeconds!.Value, 1, 10));
    }

    [Theory]
    [InlineData("9999-12-31T23:59:59.999Z")]
    [InlineData("0001-01-01T00:00:00.000+14:00")]
    public async Task A_chunk_with_an_impossible_start_time_is_damaged(string start)
    {
        await WriteBombAsync(_session.ChunkPath(0), first: 0, packets: 50, start);

        Assert.Equal(1, (await _session.RecordAsync()).Recording.DurationSeconds);

        Assert.Equal((ChunkProblem.Damaged, null), Assert.Single(_session.Manifest().Chunks.Select(chunk => (chunk.Problem, chunk.StartedAt))));
        Assert.Null(_session.Manifest().StartedAt);
    }

    [Fact]
    public async Task Audio_longer_than_the_bot_has_lived_is_not_assembled()
    {
        var tone = await OpusPackets.OfToneAsync(3000);
        for (var index = 0; index < 100; index++)
            _session.WriteChunk(index, index * 500, [.. tone.Take(500)]);

        var result = await _session.RecordAsync();

        Assert.InRange(result.Recording.DurationSeconds, 600, 700);
        Assert.Contains(_session.Manifest().Ignored, ignored => ignored is { File: "chunk_00099.ogg", Why: IgnoreReason.TooLong });
        Assert.True(File.Exists(Path.Combine(_session.DamagedFolder, "chunk_00099.ogg")));
    }

    [Fact]
    public async Task More_chunks_than_the_bot_can_have_begun_are_not_read()
    {
        var tone = await OpusPackets.OfToneAsync(1);
        for (var index = 0; index < 400; index++)
            _session.WriteChunk(index, index, tone);

        var result = await _session.RecordAsync();

        Assert.InRange(result.Chunks, 100, 300);
        Assert.Equal(400 - result.Chunks, _session.Manifest().Ignored.Count(ignored => ignored.Why is IgnoreReason.TooBig));
        Assert.False(_session.Manifest().Complete);
    }

    [Fact]
    public async Task A_bot_over_its_budget_ends_and_its_chunks_are_kept()
    {
        _session.Write(await OpusPackets.OfToneAsync(50));
        _session.UseFFmpegScript("kill -XCPU $$");

        var exception = await Assert.ThrowsAsync<FinalizationBudgetException>(_session.FinalizeAsync);

        Assert.Equal("CPU time", exception.Limit);
        Assert.True(File.Exists(Path.Combine(_session.DamagedFolder, ChunkFormat.FileName(0))));
        Assert.False(Directory.Exists(_session.Folder));
        Assert.Empty(Directory.GetDirectories(_session.Storage.FinalFolder(_session.Bot.UserId), "*.finalizing"));
        // A manager that was killed before it set the terminal status finds the same.
        await Assert.ThrowsAsync<FinalizationBudgetException>(_session.FinalizeAsync);
    }

    [Fact]
    public void The_budget_follows_the_engine_and_the_manager_and_not_what_the_recorder_says()
    {
        var now = _session.Bot.CreatedAt.AddHours(2);
        var honest = _session.Bot with { LaunchedAt = now, RanFor = TimeSpan.FromHours(1) };
        var hostile = honest with { JoiningAt = now.AddDays(-1), RecordingAt = now.AddDays(-1), RecordedSeconds = 80_000 };

        Assert.Equal(TimeSpan.FromMinutes(70), LengthOf(honest));
        Assert.Equal(TimeSpan.FromMinutes(70), LengthOf(hostile));
        // The engine does not know: its launch may have been noted late, but it cannot have run before it was due.
        Assert.Equal(TimeSpan.FromMinutes(130), LengthOf(hostile with { RanFor = null }));
        // A clock that was set back costs no audio.
        Assert.Equal(TimeSpan.FromMinutes(100), LengthOf(honest, setBack: TimeSpan.FromMinutes(30)));
        Assert.Equal(RecordingBudget.OfLongestBot.Length, LengthOf(honest with { RanFor = TimeSpan.FromMinutes(-50) }));

        TimeSpan LengthOf(Bot bot, TimeSpan setBack = default) => RecordingBudget.Of(bot, now, setBack).Length;
    }

    [Fact]
    public void The_time_in_the_container_is_kept_for_later_attempts()
    {
        var exit = new RecorderExit(0, OutOfMemory: false, SampleBots.Noon.AddHours(3)) { StartedAt = SampleBots.Noon };

        var begun = BotLifecycle.FinalizationBegun(SampleBots.In(BotStatus.Recording), exit);
        var again = BotLifecycle.FinalizationBegun(begun, exit: null);

        Assert.Equal((TimeSpan.FromHours(3), TimeSpan.FromHours(3)), (begun.RanFor, again.RanFor));
    }

    [Fact]
    public void The_number_of_tracks_changes_no_limit()
    {
        var budget = RecordingBudget.OfLongestBot;
        var (mix, tracks) = (budget.Limits(_session.Options, hasTracks: false), budget.Limits(_session.Options, hasTracks: true));

        Assert.Equal(mix.Timeout * 3, tracks.Timeout);
        Assert.Equal(mix.TotalCpu, tracks.TotalCpu);
        Assert.InRange(budget.BytesToWrite(hasTracks: true), 2 * budget.FileBytes, 20 * budget.FileBytes);
    }

    [Fact]
    public async Task A_process_whose_CPU_time_is_used_up_starts_no_other()
    {
        var limits = ProcessLimits.OfThisProcess;
        var command = new ConfinedCommand(["true"], new(TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(10), FileBytes: 0));
        var before = await new ConfinedProcess(TimeProvider.System, limits).RunAsync(command, TestContext.Current.CancellationToken);

        var exception = await Assert.ThrowsAsync<FinalizationBudgetException>(
            () => new ConfinedProcess(TimeProvider.System, limits with { TotalCpu = TimeSpan.FromMilliseconds(1) }).RunAsync(command, TestContext.Current.CancellationToken));

        Assert.Equal((0, "CPU time"), (before.ExitCode, exception.Limit));
        Assert.Equal(TimeSpan.FromSeconds(10), CpuTime.Read("17 (a (b) c) S 1 17 17 0 -1 4194560 100 200 0 0 100 200 300 400 20 0 30 0 12345 100000 5000"));
        Assert.InRange(CpuTime.OfThisProcess(), TimeSpan.FromMilliseconds(1), TimeSpan.FromDays(1));
    }

    [Fact]
    public async Task Tracks_of_a_few_bytes_at_late_positions_have_a_limited_amount_of_silence()
    {
        const int session = 1000;
        for (var track = 1; track <= 6; track++)
        {
            Directory.CreateDirectory(_session.TrackFolder(track));
            await WriteBombAsync(Path.Combine(_session.TrackFolder(track), ChunkFormat.FileName(0)), first: session - 50, packets: 50);
        }

        var work = Directory.CreateDirectory(Path.Combine(_session.Storage.Root, "work")).FullName;
        var ffmpeg = new FFmpeg(
            Microsoft.Extensions.Options.Options.Create(_session.Options), new(TimeProvider.System, ProcessLimits.OfThisProcess), NullLogger<FFmpeg>.Instance);
        var assembler = new TrackAssembler(new(new(ffmpeg), new(ffmpeg), NullLogger<AudioAssembler>.Instance), NullLogger<TrackAssembler>.Instance);

        var tracks = await assembler.AssembleAsync(
            _session.Bot.Id, SessionFolder.Open(_session.Folder), work, new RecordingBudget(session), new([]), TestContext.Current.CancellationToken);

        Assert.Equal([1, 2, 3, 4], tracks.Where(track => track.Audio is not null).Select(track => track.Track));
        Assert.All(tracks.Skip(4), track => Assert.Equal((TrackProblem.TooMany, ChunkFormat.FileName(0)), (track.Problem, track.Kept.Single())));
    }

    [Fact]
    public async Task A_process_without_memory_is_retried_and_keeps_the_chunks()
    {
        Assert.IsType<FFmpegUnfinishedException>(AssemblyFailure.Of(new InsufficientMemoryException()).ToException());

        _session.Write(await OpusPackets.OfToneAsync(50));
        _session.UseFFmpegScript("kill -KILL $PPID");
        await Assert.ThrowsAnyAsync<IOException>(_session.FinalizeAsync);

        Assert.True(File.Exists(_session.ChunkPath(0)));
        _session.Options.FFmpegPath = "ffmpeg";
        await _session.RecordAsync();
    }

    [Fact]
    public async Task Disagreements_are_within_the_recording()
    {
        _session.Write(await OpusPackets.OfToneAsync(50));
        _session.WriteJournal(
            """{"disagreement":{"startSeconds":0,"endSeconds":1e308,"participants":1}}""",
            """{"disagreement":{"startSeconds":0,"endSeconds":1,"participants":2147483647}}""",
            """{"disagreement":{"startSeconds":0.25,"endSeconds":100,"participants":1}}""",
            """{"disagreement":{"startSeconds":5,"endSeconds":6,"participants":1}}""");

        await _session.RecordAsync();

        Assert.Equal([new Disagreement(0.25, 1, 1)], _session.Manifest().Disagreements);
    }

    [Fact]
    public async Task A_folder_without_permissions_in_the_evidence_costs_no_audio()
    {
        _session.Write(await OpusPackets.OfToneAsync(50));
        var occasion = Directory.CreateDirectory(Path.Combine(_session.Folder, "evidence", "1_x")).FullName;
        var folder = Directory.CreateDirectory(Path.Combine(occasion, "a.png")).FullName;
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(folder, UnixFileMode.None);

        await _session.RecordAsync();
    }

    [Fact]
    public async Task Nested_folders_in_the_work_folder_are_found_and_deleted()
    {
        using var work = new WorkFolder(Path.Combine(_session.Storage.Root, "work"));
        Directory.CreateDirectory(work.PathOf("track_1"));
        await File.WriteAllBytesAsync(Path.Combine(work.PathOf("track_1"), "recording.ogg"), new byte[100_000], TestContext.Current.CancellationToken);

        Assert.InRange(work.Measure(out var isUnusual), 100_000, 200_000);
        Directory.CreateDirectory(work.PathOf("track_1/a/b/c/d"));
        work.Measure(out var isUnusualWithDepth);

        Assert.Equal((false, true), (isUnusual, isUnusualWithDepth));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"Mix":{"File":"recording.ogg"}}""")]
    [InlineData("""{"Mix":{"File":"recording.ogg","Plan":{"Pieces":[{"Range":{"First":0,"Count":1}}],"Gaps":[],"Ignored":[]},"Decoded":{}}}""")]
    [InlineData("""{"Tracks":[null]}""")]
    [InlineData("""{"Warnings":null}""")]
    [InlineData("nothing")]
    public async Task A_result_that_lacks_something_is_not_plausible(string json)
    {
        await using var output = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(json));

        Assert.Null(await AssemblyProcess.ReadAsync(output, RecordingBudget.OfLongestBot, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_result_with_too_many_or_too_long_warnings_is_not_plausible()
    {
        foreach (var warnings in new[] { Enumerable.Repeat("w", 101).ToList(), new List<string> { new('w', 4001) } })
        {
            await using var output = new MemoryStream(JsonSerializer.SerializeToUtf8Bytes(new AssemblyResult { Warnings = warnings }, AssemblyJson.Default.AssemblyResult));

            Assert.Null(await AssemblyProcess.ReadAsync(output, RecordingBudget.OfLongestBot, TestContext.Current.CancellationToken));
        }
    }

    [Fact]
    public async Task Files_that_FFmpeg_writes_have_a_limited_length()
    {
        _session.Write(await OpusPackets.OfToneAsync(50));
        _session.UseFFmpegScript("head -c 1G /dev/zero > junk || kill -XFSZ $$");

        Assert.Equal("file size", (await Assert.ThrowsAsync<FinalizationBudgetException>(_session.FinalizeAsync)).Limit);
    }

    [Fact]
    public async Task FFmpeg_has_neither_the_managers_rights_nor_its_environment()
    {
        Environment.SetEnvironmentVariable("NEWARBOTS_TEST_SECRET", "secret");
        _session.Write(await OpusPackets.OfToneAsync(50));
        var seen = Path.Combine(_session.Storage.Root, "seen");
        _session.UseFFmpegScript($"id -u > {seen}; env >> {seen}; grep -E '^(NoNewPrivs|CapEff)' /proc/self/status >> {seen}; exec ffmpeg \"$@\"");

        await _session.RecordAsync();

        var text = await File.ReadAllTextAsync(seen, TestContext.Current.CancellationToken);
        Assert.False(text.StartsWith("0\n", StringComparison.Ordinal));
        Assert.DoesNotContain("secret", text, StringComparison.Ordinal);
        Assert.Contains("NoNewPrivs:\t1", text, StringComparison.Ordinal);
        Assert.Contains("CapEff:\t0000000000000000", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_process_whose_timeout_passes_is_killed_with_its_children()
    {
        var processes = new ConfinedProcess(TimeProvider.System);
        var mark = $"9{Random.Shared.Next(100_000, 999_999)}".ToString(CultureInfo.InvariantCulture);
        var begun = Stopwatch.GetTimestamp();

        var end = await processes.RunAsync(
            new(["sh", "-c", $"sleep {mark} & sleep {mark}"], new(TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(10), FileBytes: 0)),
            TestContext.Current.CancellationToken);

        Assert.True(end.TimedOut);
        Assert.InRange(Stopwatch.GetElapsedTime(begun).TotalSeconds, 1, 30);
        await Eventually.TrueAsync(() => Cli.Wrap("pgrep").WithArguments(["-f", $"sleep {mark}"]).WithValidation(CommandResultValidation.None)
            .ExecuteBufferedAsync().Task.GetAwaiter().GetResult().StandardOutput.Length == 0);
    }

    [Fact]
    public async Task The_description_of_a_day_with_ten_tracks_is_within_the_limit_and_a_longer_one_is_not_read()
    {
        const int chunksOfDay = 8_640;
        const int tracks = 10;
        var budget = new RecordingBudget(chunksOfDay * 500);
        var plan = ChunkManifest.Plan(
            _session.Bot.Id,
            Enumerable.Range(0, chunksOfDay).Select(index => new OggOpusChunk(index, 40_000, new string('a', 64))
            {
                Session = _session.Bot.Id.ToString(),
                StartedAt = RecordedSession.Start.AddSeconds(index * 10),
                FirstPacket = index * 500,
                Packets = 500,
            }),
            SessionJournal.Empty,
            budget.Packets);
        var audio = new AssembledAudio(AudioAssembler.FileName, plan, default);
        var ofTrack = audio with { Plan = plan.WithoutIntactChunks() };
        var result = new AssemblyResult { Mix = audio, Tracks = [.. Enumerable.Range(1, tracks).Select(track => new AssembledTrack(track, ofTrack, Problem: null))] };
        var json = JsonSerializer.SerializeToUtf8Bytes(result, AssemblyJson.Default.AssemblyResult);

        await using var whole = new ResultStream(new MemoryStream(json), budget.BytesOfResult);
        var read = await JsonSerializer.DeserializeAsync(whole, AssemblyJson.Default.AssemblyResult, TestContext.Current.CancellationToken);
        await using var tooLong = new ResultStream(new MemoryStream(json), json.Length - 1);

        Assert.InRange(json.Length, 3_000_000, budget.BytesOfResult);
        Assert.InRange(budget.BytesOfResult, json.Length, 32_000_000);
        Assert.Equal((chunksOfDay, plan.StartedAt), (read!.Mix!.Plan.Pieces.Count, read.Tracks[^1].Audio!.Plan.StartedAt));
        await Assert.ThrowsAsync<FinalizationBudgetException>(
            () => JsonSerializer.DeserializeAsync(tooLong, AssemblyJson.Default.AssemblyResult, TestContext.Current.CancellationToken).AsTask());
    }

    [Fact]
    public async Task A_chunk_of_many_holes_lists_a_few()
    {
        await using (var file = File.Create(_session.ChunkPath(0)))
        {
            var page = new OggPage();
            page.TryAdd(OpusHeaders.Head());
            page.WriteTo(file, 1, 0, 0, OggPageMarks.BeginningOfStream);
            page.TryAdd(OpusHeaders.Tags([new(ChunkFormat.SessionTag, _session.Bot.Id.ToString()), new(ChunkFormat.FirstPacketTag, "0")]));
            page.WriteTo(file, 1, 1, 0, OggPageMarks.None);
            // Every other page of one packet is missing.
            for (var second = 1; second <= 100; second++)
            {
                page.TryAdd(OpusHeaders.SilencePacket);
                page.WriteTo(file, 1, (uint)(second * 2), second * 2 * ChunkFormat.SamplesPerPacket, OggPageMarks.None);
            }
        }

        var chunk = ChunkReader.Read(_session.ChunkPath(0), 0);

        Assert.Equal((ChunkProblem.Damaged, 5), (chunk.Problem, chunk.Holes.Count));
        Assert.Equal(chunk.Packets - 1, chunk.Holes[^1].End);
    }

    private PartialRecording Partials() => new(
        _session.Storage,
        new(new(TimeProvider.System), TimeProvider.System, NullLogger<AssemblyProcess>.Instance),
        new(TimeProvider.System),
        Microsoft.Extensions.Options.Options.Create(_session.Options),
        TimeProvider.System,
        NullLogger<PartialRecording>.Instance);

    private Task WriteBombAsync(string path, long first, long packets, string start = "2026-11-29T16:00:00.000Z") =>
        HostileChunk.WriteAsync(path, _session.Bot.Id, first, packets, start);
}
