using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Hosting;
using NewarBots.Manager.Recordings;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Recordings;

public sealed class FFmpegTests : IDisposable
{
    private readonly RecordedSession _session = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("newarbots-ffmpeg-").FullName;

    private string Runs => Path.Combine(_folder, "runs");

    public FFmpegTests() => OtherUsers.Allow(_folder);

    public void Dispose()
    {
        _session.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Without_FFmpeg_the_chunks_are_kept_until_it_is_installed()
    {
        var tone = await OpusPackets.OfToneAsync(50);
        _session.Write(tone);
        _session.Options.FFmpegPath = Path.Combine(_folder, "ffmpeg");

        var exception = await Assert.ThrowsAsync<FFmpegMissingException>(_session.FinalizeAsync);

        Assert.Contains(_session.Options.FFmpegPath, exception.Message, StringComparison.Ordinal);
        _session.Options.FFmpegPath = "ffmpeg";
        Assert.Equal(1, (await _session.RecordAsync()).Recording.DurationSeconds);
    }

    [Fact]
    public async Task An_FFmpeg_that_hangs_once_is_killed_and_retried()
    {
        _session.Write(await OpusPackets.OfToneAsync(50));
        UseScript($"""[ $(wc -l < {Runs}) -gt 1 ] || sleep 1000; exec ffmpeg "$@" """);
        // The runs that do not hang have the same time, on a busy machine too.
        _session.Options.FFmpegTimeout = TimeSpan.FromSeconds(15);

        Assert.Equal(1, (await _session.RecordAsync()).Recording.DurationSeconds);

        // Concatenation ran twice, verification once.
        Assert.Equal(3, File.ReadAllLines(Runs).Length);
    }

    [Fact]
    public async Task Chunks_are_kept_if_FFmpeg_always_hangs()
    {
        _session.Write(await OpusPackets.OfToneAsync(50));
        UseScript("echo waiting forever >&2; sleep 1000");
        _session.Options.FFmpegTimeout = TimeSpan.FromSeconds(5);

        var exception = await Assert.ThrowsAsync<FFmpegUnfinishedException>(_session.FinalizeAsync);

        Assert.True(exception.Hung);
        Assert.Contains("waiting forever", exception.Message, StringComparison.Ordinal);
        Assert.Equal(2, File.ReadAllLines(Runs).Length);
        Assert.True(File.Exists(_session.ChunkPath(0)));
        Assert.False(File.Exists(_session.Recording));
    }

    [Fact]
    public async Task A_failure_reports_the_command_line_exit_code_and_last_output()
    {
        _session.Write(await OpusPackets.OfToneAsync(50));
        UseScript("echo invalid data >&2; exit 7");

        var exception = await Assert.ThrowsAsync<BadAudioException>(_session.FinalizeTwiceAsync);

        Assert.Contains("exit code 7: invalid data", exception.Message, StringComparison.Ordinal);
        Assert.Contains("-f concat", exception.Message, StringComparison.Ordinal);
        Assert.True(File.Exists(_session.ChunkPath(0)));
    }

    [Theory]
    [InlineData("kill -KILL $$")]
    [InlineData("exit 255")]
    public async Task Chunks_are_kept_if_FFmpeg_is_killed(string death)
    {
        _session.Write(await OpusPackets.OfToneAsync(50));
        UseScript(death);

        Assert.False((await Assert.ThrowsAsync<FFmpegUnfinishedException>(_session.FinalizeAsync)).Hung);
        Assert.True(File.Exists(_session.ChunkPath(0)));
    }

    [Theory]
    [InlineData("exit 126")]
    [InlineData("echo 'error while loading shared libraries: libavdevice.so.59' >&2; exit 127")]
    [InlineData("exit 0")]
    public async Task A_broken_FFmpeg_counts_as_missing_and_the_chunks_wait_for_its_repair(string failure)
    {
        _session.Write(await OpusPackets.OfToneAsync(50));
        UseScript(failure);

        await Assert.ThrowsAsync<FFmpegMissingException>(_session.FinalizeAsync);

        using var host = Host(_session.Options.FFmpegPath);
        Assert.Equal(HealthStatus.Degraded, (await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync()).Entries["ffmpeg"].Status);
        _session.Options.FFmpegPath = "ffmpeg";
        Assert.Equal(1, (await _session.RecordAsync()).Recording.DurationSeconds);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(183)]
    [InlineData(234)]
    [InlineData(254)]
    public async Task An_error_of_FFmpeg_is_believed_once_another_attempt_confirms_it(int code)
    {
        _session.Write(await OpusPackets.OfToneAsync(50));
        UseScript($"exit {code}");

        await Assert.ThrowsAsync<BadAudioException>(_session.FinalizeTwiceAsync);
    }

    [Fact]
    public async Task A_second_opinion_saves_audio_that_FFmpeg_rejected_by_mistake()
    {
        _session.Write(await OpusPackets.OfToneAsync(1000));
        UseScript($"""[ $(wc -l < {Runs}) -gt 3 ] || exit 1; exec ffmpeg "$@" """);

        Assert.True(Assert.IsType<FinalizationResult.Recorded>(await _session.FinalizeTwiceAsync()).Recording.Complete);
    }

    [Fact]
    public async Task A_second_opinion_needs_some_time_in_between()
    {
        _session.Write(await OpusPackets.OfToneAsync(50));
        _session.Options.SecondOpinionAfter = TimeSpan.FromHours(1);
        UseScript("exit 1");

        await Assert.ThrowsAsync<SecondOpinionException>(_session.FinalizeAsync);
        await Assert.ThrowsAsync<SecondOpinionException>(_session.FinalizeAsync);

        Assert.True(File.Exists(_session.ChunkPath(0)));
    }

    [Fact]
    public async Task FFmpeg_without_memory_says_nothing_about_the_audio()
    {
        _session.Write(await OpusPackets.OfToneAsync(1000));
        UseScript($"""[ $(wc -l < {Runs}) -gt 4 ] || ( echo 'Cannot allocate memory' >&2; exit 1 ) || exit 1; exec ffmpeg "$@" """);

        for (var attempt = 0; attempt < 2; attempt++)
            Assert.IsNotType<SecondOpinionException>(await Assert.ThrowsAnyAsync<FFmpegUnfinishedException>(_session.FinalizeAsync));

        Assert.True((await _session.RecordAsync()).Recording.Complete);
    }

    [Theory]
    [InlineData("No space left on device")]
    [InlineData("Disk quota exceeded")]
    [InlineData("File too large")]
    [InlineData("Cannot allocate memory")]
    public async Task Text_that_a_file_makes_FFmpeg_print_does_not_decide_why_it_failed(string text)
    {
        _session.Write(await OpusPackets.OfToneAsync(50));
        UseScript($"""case "$*" in *"-f null -") exec ffmpeg "$@";; esac; echo 'Unknown attached picture mimetype: {text}.' >&2; exit 1""");

        await Assert.ThrowsAsync<BadAudioException>(_session.FinalizeTwiceAsync);
    }

    [Fact]
    public async Task A_full_disk_is_found_by_writing_to_it()
    {
        await using var disk = await SmallDisk.MountAsync(Path.Combine(_folder, "disk"), mode: "777");
        UseScript("head -c 2M /dev/zero > result; echo 'No space left on device' >&2; exit 1");

        await Assert.ThrowsAsync<StorageFullException>(() => _session.FFmpeg().RunAsync(
            new([], TimeSpan.FromSeconds(10)) { WorkingFolder = disk.Path, Target = "result" }, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_result_with_a_wrong_length_is_not_published()
    {
        _session.Write(await OpusPackets.OfToneAsync(500));
        UseScript("""
            ffmpeg "$@" || exit
            case "$*" in *concat*) for result; do :; done; result=${result#file:}; ffmpeg -v error -i $result -c copy -t 5 $result.short.ogg; mv $result.short.ogg $result;; esac
            """);

        var exception = await Assert.ThrowsAsync<BadAudioException>(_session.FinalizeTwiceAsync);

        Assert.Contains("10 s", exception.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(_session.Recording));
        Assert.True(File.Exists(_session.ChunkPath(0)));
    }

    [Theory]
    [InlineData("ffmpeg", HealthStatus.Healthy, "ffmpeg version")]
    [InlineData("/nowhere/ffmpeg", HealthStatus.Degraded, "'/nowhere/ffmpeg'")]
    public async Task The_health_check_reports_whether_FFmpeg_can_be_run(string path, HealthStatus status, string description)
    {
        using var host = Host(path);

        var report = await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync();

        Assert.Equal(status, report.Entries["ffmpeg"].Status);
        Assert.Contains(description, report.Entries["ffmpeg"].Description, StringComparison.Ordinal);
    }

    [Fact]
    public void Validation_names_every_invalid_setting()
    {
        var result = new FinalizingOptionsValidator().Validate(null, new()
        {
            MaxConcurrent = 0,
            FFmpegPath = " ",
            FFmpegTimeout = TimeSpan.Zero,
            FFmpegTimeoutPerHour = TimeSpan.FromSeconds(-1),
        });

        Assert.Equal(4, result.Failures!.Count());
        Assert.All(result.Failures!, failure => Assert.StartsWith("Finalizing:", failure, StringComparison.Ordinal));
        Assert.Throws<OptionsValidationException>(() => Host(string.Empty).Services.GetRequiredService<IOptions<FinalizingOptions>>().Value);
    }

    private static IHost Host(string ffmpegPath)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(new());
        builder.Configuration.AddInMemoryCollection([new("Finalizing:FFmpegPath", ffmpegPath)]);
        builder.Services.AddLogging();
        builder.AddRecordings();
        return builder.Build();
    }

    /// <summary>Replaces FFmpeg with a script that logs each run.</summary>
    private void UseScript(string body)
    {
        File.WriteAllText(Runs, string.Empty);
        OtherUsers.Allow(Runs);
        _session.UseFFmpegScript($"echo run >> {Runs}\n{body}");
    }
}
