using System.ComponentModel;
using System.Text;
using System.Text.Json;
using NewarBots.Contract;
using NewarBots.Manager.Hosting;
using NewarBots.Manager.Recordings;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Recordings;

/// <summary>The process that assembles recordings, and FFmpeg below it, may be controlled by the files that they read.</summary>
public sealed class HostileAssemblyTests : IDisposable
{
    /// <summary>One minute.</summary>
    private static readonly RecordingBudget Budget = new(3000);

    private readonly RecordedSession _session = new();

    public void Dispose() => _session.Dispose();

    [Fact]
    public async Task A_link_with_the_name_of_the_manifest_in_its_work_folder_is_not_followed()
    {
        var elsewhere = Path.Combine(_session.Storage.Root, "keys.json");
        await File.WriteAllTextAsync(elsewhere, "the keys", TestContext.Current.CancellationToken);
        _session.Write(await OpusPackets.OfToneAsync(50));
        _session.UseFFmpegScript($"ln -sf '{elsewhere}' manifest.json; exec ffmpeg \"$@\"");

        await _session.RecordAsync();

        Assert.Equal("the keys", await File.ReadAllTextAsync(elsewhere, TestContext.Current.CancellationToken));
        Assert.Equal(_session.Bot.Id, _session.Manifest().SessionId);
        Assert.Null(new FileInfo(_session.ManifestPath).LinkTarget);
        Assert.Empty(Directory.GetDirectories(_session.Storage.FinalFolder(_session.Bot.UserId), "*.finalizing"));
    }

    [Fact]
    public async Task An_honest_result_is_accepted()
    {
        var read = await ReadAsync(Json(Honest()));

        Assert.Equal(("track:1", 2, 50L), (read!.Speakers[0].Source, read.Tracks[0].Track, read.Mix!.Plan.Packets));
    }

    /// <param name="from">In the JSON of an honest result.</param>
    /// <param name="to">In its place.</param>
    [Theory]
    [InlineData("\"Samples\":48000", "\"Samples\":190000000000")]
    [InlineData("\"Samples\":48000", "\"Samples\":-1")]
    [InlineData("\"AudiblePackets\":50", "\"AudiblePackets\":9000000000000000000")]
    [InlineData("\"First\":0,\"Count\":50", "\"First\":9223372036854775807,\"Count\":50")]
    [InlineData("\"First\":0,\"Count\":50", "\"First\":1,\"Count\":9223372036854775807")]
    [InlineData("\"First\":0,\"Count\":50", "\"First\":-1,\"Count\":50")]
    [InlineData("\"Skip\":0", "\"Skip\":-9223372036854775808")]
    [InlineData("\"StartedAt\":\"2026-03-01T09:00:00", "\"StartedAt\":\"9999-12-31T23:59:59")]
    [InlineData("\"Gaps\":[", "\"Gaps\":[null,")]
    [InlineData("\"Gaps\":[", "\"Gaps\":[{\"StartSeconds\":0,\"EndSeconds\":1},")]
    [InlineData("\"EndSeconds\":0.75", "\"EndSeconds\":1e300")]
    [InlineData("\"EndSeconds\":0.75", "\"EndSeconds\":1e400")]
    [InlineData("\"EndSeconds\":0.75", "\"EndSeconds\":0.1")]
    [InlineData("\"Pieces\":[", "\"Pieces\":[null,")]
    [InlineData("\"Ignored\":[", "\"Ignored\":[null,")]
    [InlineData("\"File\":\"chunk_00001.ogg\"", "\"File\":\"../../../access/keys.json\"")]
    [InlineData("\"File\":\"recording.ogg\"", "\"File\":\"../recording.ogg\"")]
    [InlineData("\"Speakers\":[", "\"Speakers\":[null,")]
    [InlineData("\"Segments\":[", "\"Segments\":[null,")]
    [InlineData("\"SpokenSeconds\":1", "\"SpokenSeconds\":1e300")]
    [InlineData("\"Disagreements\":[", "\"Disagreements\":[null,")]
    [InlineData("\"Others\":[", "\"Others\":[null,")]
    [InlineData("\"Others\":[", "\"Others\":[{\"File\":\"\\u001b[2J\",\"Why\":\"not_a_chunk\"},")]
    [InlineData("\"Tracks\":[", "\"Tracks\":[null,")]
    [InlineData("\"Tracks\":[", "\"Tracks\":[{\"Track\":2,\"Problem\":\"unreadable\",\"Kept\":[]},")]
    [InlineData("\"Kept\":[\"chunk_00000.ogg\"]", "\"Other\":0")]
    [InlineData("\"Kept\":[", "\"Kept\":[null,")]
    [InlineData("\"Kept\":[", "\"Kept\":[\"/etc/passwd\",")]
    [InlineData("\"Warnings\":[", "\"Warnings\":[null,")]
    [InlineData("\"Steps\":[", "\"Steps\":[null,")]
    [InlineData("\"Id\":\"a\"", "\"Id\":null")]
    [InlineData("\"Took\":\"00:00:01\"", "\"Took\":\"10675199.02:48:05\"")]
    public async Task A_result_with_nulls_or_impossible_numbers_and_names_is_rejected(string from, string to)
    {
        var json = Json(Honest());
        Assert.Contains(from, json, StringComparison.Ordinal);

        Assert.Null(await ReadAsync(json.Replace(from, to, StringComparison.Ordinal)));
    }

    [Fact]
    public void A_work_folder_that_cannot_be_measured_ends_the_process()
    {
        using var work = new WorkFolder(Path.Combine(_session.Storage.Root, "work"));
        File.WriteAllBytes(work.PathOf("small"), new byte[1000]);

        Assert.Null(AssemblyProcess.FindExcess(work, maxBytes: 1_000_000));
        Assert.IsType<FinalizationBudgetException>(AssemblyProcess.FindExcess(work, maxBytes: 1));
        Directory.Delete(work.Root, recursive: true);
        // In its place is a link, so that it cannot be opened.
        Directory.CreateSymbolicLink(work.Root, _session.Storage.Root);
        Assert.NotNull(AssemblyProcess.FindExcess(work, maxBytes: 1_000_000));
        File.Delete(work.Root);
    }

    [Fact]
    public void A_bug_in_the_process_keeps_its_type_and_stack_and_is_no_disk_error()
    {
        Exception thrown;
        try
        {
            throw new InvalidOperationException("Sequence contains no elements");
        }
        catch (InvalidOperationException exception)
        {
            thrown = exception;
        }

        var passedOn = AssemblyFailure.Of(thrown).ToException();

        Assert.IsType<UnexpectedAssemblyException>(passedOn);
        Assert.Contains(nameof(InvalidOperationException), passedOn.Message, StringComparison.Ordinal);
        Assert.Contains(nameof(A_bug_in_the_process_keeps_its_type_and_stack_and_is_no_disk_error), passedOn.Message, StringComparison.Ordinal);
        Assert.False(Failures.MayBeStorage(passedOn));
        Assert.Equal(FailureCause.Bot, Failures.CauseOf(passedOn));
        Assert.IsType<IOException>(AssemblyFailure.Of(new UnauthorizedAccessException("denied")).ToException());
    }

    [Fact]
    public async Task A_failure_with_a_very_long_message_is_passed_on()
    {
        var failure = AssemblyFailure.Of(new FinalizationException(new string('x', 1_000_000)));

        Assert.Equal(AssemblyFailureKind.CannotBeAssembled, (await ReadAsync(Json(new AssemblyResult { Failure = failure })))?.Failure?.Kind);
    }

    [Theory]
    [InlineData(11, true)]
    [InlineData(12, true)]
    [InlineData(24, true)]
    [InlineData(2, false)]
    [InlineData(13, false)]
    public void A_machine_that_cannot_start_a_process_is_no_missing_program(int error, bool isExhausted)
    {
        var explained = ConfinedProcess.ExplainStart(new Win32Exception(error));

        Assert.Equal(isExhausted, explained is not null);
        Assert.Equal(isExhausted ? FailureCause.Host : (FailureCause?)null, explained?.Cause);
        // Within the process it may be the process's own limit, so the bot's attempts are counted.
        if (explained is not null)
            Assert.Equal(FailureCause.Bot, Failures.CauseOf(AssemblyFailure.Of(explained).ToException()));
    }

    [Fact]
    public void A_timeout_program_that_cannot_fork_says_nothing_about_the_audio() =>
        Assert.Equal(FFmpegOutcome.Interrupted, FFmpegExit.Classify(new(125, TimedOut: false, "timeout: fork system call failed: Resource temporarily unavailable")));

    private static AssemblyResult Honest()
    {
        var chunk = new OggOpusChunk(0, 5000, new string('a', 64)) { StartedAt = RecordedSession.Start, FirstPacket = 0, Packets = 50 };
        var plan = new ChunkManifest(
            [new Piece.OfChunk(new(0, 50), chunk, 0, Problem: null)],
            [new(0.5, 0.75, GapCause.ChunkDamaged)],
            [new("chunk_00001.ogg", IgnoreReason.Unreadable, 7)]);
        return new()
        {
            Mix = new(AudioAssembler.FileName, plan, new(48_000, 50)),
            Tracks = [new(2, Audio: null, TrackProblem.Unreadable) { Kept = ["chunk_00000.ogg"] }],
            Speakers = [new("track:1", "Ada", 1, [new(0, 0.5, -20), new(0.5, 0.6, -20)])],
            Disagreements = [new(0, 0.5, 1)],
            Others = [new("page.html", IgnoreReason.NotAChunk, 4)],
            Warnings = ["a warning"],
            Steps = [new("a", Parent: null, "chunks read", RecordedSession.Start, TimeSpan.FromSeconds(1), Error: null, Track: null)],
        };
    }

    private static string Json(AssemblyResult result) => JsonSerializer.Serialize(result, AssemblyJson.Default.AssemblyResult);

    private static async Task<AssemblyResult?> ReadAsync(string json)
    {
        await using var output = new MemoryStream(Encoding.UTF8.GetBytes(json));
        return await AssemblyProcess.ReadAsync(output, Budget, TestContext.Current.CancellationToken);
    }
}
