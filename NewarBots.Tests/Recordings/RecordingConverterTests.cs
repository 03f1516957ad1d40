using System.Globalization;
using CliWrap;
using CliWrap.Buffered;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Ending;
using NewarBots.Manager.Recordings;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Recordings;

public sealed class RecordingConverterTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly RecordedSession _session = new();
    private readonly IHost _host = new HostApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true }).Build();

    public static TheoryData<string> Formats { get; } = [.. AudioFormat.Converted.Select(format => format.Name)];

    public void Dispose()
    {
        _session.Dispose();
        _host.Dispose();
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public async Task A_recording_is_as_long_in_every_format_and_what_players_expect(string name)
    {
        _session.Write(await OpusPackets.OfToneAsync(777));
        await _session.RecordAsync();
        using var converter = Converter();

        var path = await ConvertAsync(converter, name);

        Assert.Equal(Path.ChangeExtension(_session.Recording, name), path);
        var samples = (await RecordedSession.DecodeAsync(path!)).Length;
        // The longest frame of them has 1,152 samples; where a format counts in whole frames, its last one is padded.
        Assert.InRange(samples, 777 * 960, 777 * 960 + 1152);
        var probe = await Cli.Wrap("ffprobe")
            .WithArguments(["-v", "error", "-show_entries", "stream=codec_name,channels,sample_rate", "-of", "csv=p=0", path!])
            .ExecuteBufferedAsync();
        var codec = name switch { "m4a" => "aac", "wav" => "pcm_s16le", _ => name };
        Assert.Equal($"{codec},48000,1", probe.StandardOutput.Trim());
        Assert.Empty(Directory.GetFiles(Path.GetDirectoryName(path)!, ".*"));
    }

    [Fact]
    public async Task Many_who_ask_at_once_wait_for_one_conversion_and_a_later_one_finds_it()
    {
        _session.Write(await OpusPackets.OfToneAsync(3000));
        await _session.RecordAsync();
        var runs = Path.Combine(_session.Storage.Root, "runs");
        _session.Options.FFmpegPath = Script($"echo run >> '{runs}'; exec ffmpeg \"$@\"");
        using var converter = Converter();

        var paths = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => ConvertAsync(converter, "mp3")));
        var later = await ConvertAsync(converter, "mp3");

        Assert.Equal(later, Assert.Single(paths.Distinct()));
        Assert.Single(await File.ReadAllLinesAsync(runs, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Two_managers_that_convert_the_same_come_to_one_whole_file()
    {
        _session.Write(await OpusPackets.OfToneAsync(3000));
        await _session.RecordAsync();
        using var one = Converter();
        using var another = Converter();

        var paths = await Task.WhenAll(ConvertAsync(one, "flac"), ConvertAsync(another, "flac"));

        Assert.Equal(3000 * 960, (await RecordedSession.DecodeAsync(Assert.Single(paths.Distinct())!)).Length);
        Assert.Empty(Directory.GetFiles(Path.GetDirectoryName(paths[0])!, ".*"));
    }

    [Fact]
    public async Task One_who_gives_up_waiting_finds_the_file_later()
    {
        _session.Write(await OpusPackets.OfToneAsync(500));
        await _session.RecordAsync();
        var gate = Path.Combine(_session.Storage.Root, "gate");
        _session.Options.FFmpegPath = Script($"while [ ! -e '{gate}' ]; do sleep 0.05; done; exec ffmpeg \"$@\"");
        using var converter = Converter();

        Assert.Null(await ConvertAsync(converter, "mp3", TimeSpan.FromMilliseconds(100)));
        await File.WriteAllTextAsync(gate, "", TestContext.Current.CancellationToken);

        Assert.NotNull(await ConvertAsync(converter, "mp3"));
    }

    [Fact]
    public async Task A_conversion_that_fails_leaves_nothing_and_may_be_tried_again()
    {
        _session.Write(await OpusPackets.OfToneAsync(500));
        await _session.RecordAsync();
        _session.Options.FFmpegPath = Script("exit 1");
        using (var failing = Converter())
            await Assert.ThrowsAsync<BadAudioException>(() => ConvertAsync(failing, "mp3"));
        Assert.Equal(["json", "ogg"], Left());

        _session.Options.FFmpegPath = "ffmpeg";
        using var converter = Converter();
        Assert.NotNull(await ConvertAsync(converter, "mp3"));
    }

    [Fact]
    public async Task A_recording_that_is_deleted_while_it_is_converted_leaves_nothing()
    {
        _session.Write(await OpusPackets.OfToneAsync(500));
        await _session.RecordAsync();
        var gate = Path.Combine(_session.Storage.Root, "gate");
        _session.Options.FFmpegPath = Script($"ffmpeg \"$@\"; touch '{gate}.made'; while [ ! -e '{gate}' ]; do sleep 0.05; done");
        using var converter = Converter();

        var conversion = ConvertAsync(converter, "wav");
        await Eventually.TrueAsync(() => File.Exists($"{gate}.made"));
        File.Delete(_session.Recording);
        await File.WriteAllTextAsync(gate, "", TestContext.Current.CancellationToken);

        await Assert.ThrowsAsync<FileNotFoundException>(() => conversion);
        Assert.Equal(["json"], Left());
    }

    [Fact]
    public async Task What_is_deleted_goes_in_every_format_and_with_what_a_killed_conversion_left()
    {
        _session.Write(await OpusPackets.OfToneAsync(500));
        await _session.RecordAsync();
        using var converter = Converter();
        await ConvertAsync(converter, "mp3");
        await File.WriteAllTextAsync(Unfinished, "RIFF", TestContext.Current.CancellationToken);

        new FinalFiles(_session.Storage, new(_session.Storage)).Delete(_session.Bot.UserId, _session.Bot.Id);

        Assert.Empty(Left());
    }

    [Fact]
    public async Task What_a_killed_conversion_left_is_cleared_away_once_nobody_can_be_writing_it()
    {
        Directory.CreateDirectory(_session.Storage.FinalFolder(_session.Bot.UserId));
        await File.WriteAllTextAsync(Unfinished, "RIFF", TestContext.Current.CancellationToken);
        using var converter = Converter();

        converter.DeleteAbandonedFiles();
        Assert.True(File.Exists(Unfinished));
        File.SetLastWriteTimeUtc(Unfinished, TimeProvider.System.GetUtcNow().UtcDateTime.AddHours(-1));
        converter.DeleteAbandonedFiles();

        Assert.False(File.Exists(Unfinished));
    }

    private string Unfinished =>
        Path.Combine(_session.Storage.FinalFolder(_session.Bot.UserId), $".{_session.Bot.Id}.wav.0123456789abcdef0123456789abcdef.unfinished");

    private string[] Left() =>
    [
        .. Directory.GetFiles(_session.Storage.FinalFolder(_session.Bot.UserId))
            .Select(file => Path.GetExtension(file)[1..])
            .Order(StringComparer.Ordinal),
    ];

    private Task<string?> ConvertAsync(RecordingConverter converter, string format, TimeSpan? patience = null) => converter.ConvertAsync(
        _session.Recording, TimeSpan.FromMinutes(1), AudioFormat.Find(format)!, patience ?? Patience, TestContext.Current.CancellationToken);

    private RecordingConverter Converter()
    {
        var options = Microsoft.Extensions.Options.Options.Create(_session.Options);
        return new(
            _session.Storage,
            new(options, TimeProvider.System, NullLogger<FFmpeg>.Instance),
            options,
            _host.Services.GetRequiredService<IHostApplicationLifetime>(),
            TimeProvider.System,
            NullLogger<RecordingConverter>.Instance);
    }

    /// <summary>A program that stands in FFmpeg's place.</summary>
    private string Script(string body)
    {
        var path = Path.Combine(_session.Storage.Root, string.Create(CultureInfo.InvariantCulture, $"ffmpeg-{body.Length}"));
        File.WriteAllText(path, $"#!/bin/sh\n{body}\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }
}
