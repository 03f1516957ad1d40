using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Recordings;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Recordings;

public sealed class FFmpegTests : IDisposable
{
    private readonly RecordedSession _session = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("newarbots-ffmpeg-").FullName;

    private string Runs => Path.Combine(_folder, "runs");

    public void Dispose()
    {
        _session.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Without_FFmpeg_the_chunks_wait_for_it()
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
    public async Task An_FFmpeg_that_hangs_once_is_killed_and_tried_again()
    {
        _session.Write(await OpusPackets.OfToneAsync(50));
        UseScript($"""[ $(wc -l < {Runs}) -gt 1 ] || sleep 1000; exec ffmpeg "$@" """);
        _session.Options.FFmpegTimeout = TimeSpan.FromSeconds(3);

        Assert.Equal(1, (await _session.RecordAsync()).Recording.DurationSeconds);

        // The concatenation twice, the verification once.
        Assert.Equal(3, File.ReadAllLines(Runs).Length);
    }

    [Fact]
    public async Task An_FFmpeg_that_always_hangs_says_nothing_about_the_chunks_which_stay()
    {
        _session.Write(await OpusPackets.OfToneAsync(50));
        UseScript("echo waiting for godot >&2; sleep 1000");
        _session.Options.FFmpegTimeout = TimeSpan.FromSeconds(0.5);

        var exception = await Assert.ThrowsAsync<FFmpegUnfinishedException>(_session.FinalizeAsync);

        Assert.True(exception.Hung);
        Assert.Contains("waiting for godot", exception.Message, StringComparison.Ordinal);
        Assert.Equal(2, File.ReadAllLines(Runs).Length);
        Assert.True(File.Exists(_session.ChunkPath(0)));
        Assert.False(File.Exists(_session.Recording));
    }

    [Fact]
    public async Task A_failure_tells_the_command_line_the_exit_code_and_the_last_words()
    {
        _session.Write(await OpusPackets.OfToneAsync(50));
        UseScript("echo this is not my day >&2; exit 7");

        var exception = await Assert.ThrowsAsync<BadAudioException>(_session.FinalizeAsync);

        Assert.Contains("exit code 7: this is not my day", exception.Message, StringComparison.Ordinal);
        Assert.Contains("-f concat", exception.Message, StringComparison.Ordinal);
        Assert.True(File.Exists(_session.ChunkPath(0)));
    }

    [Theory]
    [InlineData("kill -KILL $$")]
    [InlineData("exit 255")]
    public async Task An_FFmpeg_that_somebody_killed_says_nothing_about_the_chunks_which_stay(string death)
    {
        _session.Write(await OpusPackets.OfToneAsync(50));
        UseScript(death);

        Assert.False((await Assert.ThrowsAsync<FFmpegUnfinishedException>(_session.FinalizeAsync)).Hung);
        Assert.True(File.Exists(_session.ChunkPath(0)));
    }

    [Fact]
    public async Task A_full_disk_is_nobodys_fault_and_can_be_tried_again()
    {
        _session.Write(await OpusPackets.OfToneAsync(50));
        UseScript("echo 'av_interleaved_write_frame(): No space left on device' >&2; exit 1");

        await Assert.ThrowsAsync<IOException>(_session.FinalizeAsync);

        Assert.True(File.Exists(_session.ChunkPath(0)));
    }

    [Fact]
    public async Task A_result_that_is_not_as_long_as_its_chunks_is_not_published()
    {
        _session.Write(await OpusPackets.OfToneAsync(500));
        UseScript("""
            ffmpeg "$@" || exit
            case "$*" in *concat*) for result; do :; done; result=${result#file:}; ffmpeg -v error -i $result -c copy -t 5 $result.short.ogg; mv $result.short.ogg $result;; esac
            """);

        var exception = await Assert.ThrowsAsync<BadAudioException>(_session.FinalizeAsync);

        Assert.Contains("10 s", exception.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(_session.Recording));
        Assert.True(File.Exists(_session.ChunkPath(0)));
    }

    [Fact]
    public async Task No_more_recordings_are_made_at_once_than_are_allowed()
    {
        var tone = await OpusPackets.OfToneAsync(50);
        _session.Options.MaxConcurrent = 1;
        UseScript($"""ffmpeg "$@"; code=$?; echo ended >> {Runs}; exit $code""");
        using var finalizer = _session.Finalizer();
        var bots = Enumerable.Range(0, 4).Select(i => _session.Bot with { Id = SessionId.Parse($"bot{i}") }).ToList();
        foreach (var bot in bots)
        {
            _session.Bot = bot;
            _session.Write(tone);
        }

        await Task.WhenAll(bots.Select(bot => finalizer.FinalizeAsync(bot, TestContext.Current.CancellationToken)));

        Assert.Equal(Enumerable.Repeat<string[]>(["run", "ended"], 8).SelectMany(lines => lines), File.ReadAllLines(Runs));
    }

    [Theory]
    [InlineData("ffmpeg", HealthStatus.Healthy, "ffmpeg version")]
    [InlineData("/nowhere/ffmpeg", HealthStatus.Degraded, "'/nowhere/ffmpeg'")]
    public async Task Health_says_whether_there_is_an_FFmpeg(string path, HealthStatus status, string description)
    {
        using var host = Host(path);

        var report = await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync();

        Assert.Equal(status, report.Entries["ffmpeg"].Status);
        Assert.Contains(description, report.Entries["ffmpeg"].Description, StringComparison.Ordinal);
    }

    [Fact]
    public void Options_name_every_key_at_fault()
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

    /// <summary>Puts a script in FFmpeg's place that notes each run.</summary>
    private void UseScript(string body)
    {
        var script = Path.Combine(_folder, "ffmpeg");
        File.WriteAllText(Runs, string.Empty);
        File.WriteAllText(script, $"#!/bin/sh\necho run >> {Runs}\n{body}\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.UserWrite);
        _session.Options.FFmpegPath = script;
    }
}
