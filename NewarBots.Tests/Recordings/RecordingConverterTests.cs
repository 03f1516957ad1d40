using CliWrap;
using CliWrap.Buffered;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using NewarBots.Contract;
using NewarBots.Manager.Ending;
using NewarBots.Manager.Recordings;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Recordings;

public sealed class RecordingConverterTests : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(1);

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
    public async Task Every_format_has_the_same_length_and_the_expected_codec(string name)
    {
        _session.Write(await OpusPackets.OfToneAsync(777));
        await _session.RecordAsync();
        var converter = Converter();

        var path = await ConvertAsync(converter, name);

        Assert.Equal(Path.ChangeExtension(_session.Recording, name), path);
        var samples = (await RecordedSession.DecodeAsync(path)).Length;
        // Formats that count in frames pad the last frame. The longest frame has 1,152 samples.
        Assert.InRange(samples, 777 * 960, 777 * 960 + 1152);
        var probe = await Cli.Wrap("ffprobe")
            .WithArguments(["-v", "error", "-show_entries", "stream=codec_name,channels,sample_rate", "-of", "csv=p=0", path])
            .ExecuteBufferedAsync();
        var codec = name switch { "m4a" => "aac", "wav" => "pcm_s16le", _ => name };
        Assert.Equal($"{codec},48000,1", probe.StandardOutput.Trim());
        Assert.Empty(Directory.GetFiles(Path.GetDirectoryName(path)!, ".*"));
    }

    [Fact]
    public async Task Concurrent_requests_share_one_conversion_and_later_requests_find_the_file()
    {
        _session.Write(await OpusPackets.OfToneAsync(3000));
        await _session.RecordAsync();
        var runs = Path.Combine(_session.Storage.Root, "runs");
        _session.UseFFmpegScript($"echo run >> '{runs}'; exec ffmpeg \"$@\"");
        var converter = Converter();

        var paths = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => ConvertAsync(converter, "mp3")));
        var later = await ConvertAsync(converter, "mp3");

        Assert.Equal(later, Assert.Single(paths.Distinct()));
        Assert.Single(await File.ReadAllLinesAsync(runs, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Two_managers_that_convert_the_same_recording_produce_one_complete_file()
    {
        _session.Write(await OpusPackets.OfToneAsync(3000));
        await _session.RecordAsync();
        var one = Converter();
        var another = Converter();

        var paths = await Task.WhenAll(ConvertAsync(one, "flac"), ConvertAsync(another, "flac"));

        Assert.Equal(3000 * 960, (await RecordedSession.DecodeAsync(Assert.Single(paths.Distinct())!)).Length);
        Assert.Empty(Directory.GetFiles(Path.GetDirectoryName(paths[0])!, ".*"));
    }

    [Fact]
    public async Task A_request_that_timed_out_finds_the_file_later()
    {
        _session.Write(await OpusPackets.OfToneAsync(500));
        await _session.RecordAsync();
        var gate = Path.Combine(_session.Storage.Root, "gate");
        _session.UseFFmpegScript($"while [ ! -e '{gate}' ]; do sleep 0.05; done; exec ffmpeg \"$@\"");
        var converter = Converter();

        Assert.IsType<Conversion.Running>(await RequestAsync(converter, "mp3", TimeSpan.FromMilliseconds(100)));
        await File.WriteAllTextAsync(gate, "", TestContext.Current.CancellationToken);

        Assert.NotNull(await ConvertAsync(converter, "mp3"));
    }

    [Fact]
    public async Task A_full_queue_rejects_further_conversions_but_not_requests_for_those_in_it()
    {
        var gate = Path.Combine(_session.Storage.Root, "gate");
        _session.UseFFmpegScript($"while [ ! -e '{gate}' ]; do sleep 0.05; done; exit 1");
        var converter = Converter();
        for (var i = 0; i < RecordingConverter.MaxQueuedOfOneUser; i++)
            Assert.IsType<Conversion.Running>(await OfAsync("anna", i));

        Assert.Equal(new Conversion.QueueFull(RecordingConverter.MaxQueuedOfOneUser), await OfAsync("anna", 1000));
        Assert.IsType<Conversion.Running>(await OfAsync("anna", 0));
        for (var i = RecordingConverter.MaxQueuedOfOneUser; i < RecordingConverter.MaxQueued; i++)
            Assert.IsType<Conversion.Running>(await OfAsync($"user{i}", i));
        Assert.Equal(new Conversion.QueueFull(RecordingConverter.MaxQueued), await OfAsync("zoe", 1000));

        await File.WriteAllTextAsync(gate, "", TestContext.Current.CancellationToken);
        await Eventually.TrueAsync(async () =>
        {
            try
            {
                return await OfAsync("zoe", 1001) is not Conversion.QueueFull;
            }
            catch (FinalizationException)
            {
                return true;
            }
        });

        async Task<Conversion> OfAsync(string user, int number)
        {
            var recording = Path.Combine(Directory.CreateDirectory(_session.Storage.FinalFolder(UserId.Parse(user))).FullName, $"{number}.ogg");
            await File.WriteAllTextAsync(recording, "audio", TestContext.Current.CancellationToken);
            return await converter.ConvertAsync(
                recording, TimeSpan.FromMinutes(1), AudioFormat.Find("mp3")!, TimeSpan.FromMilliseconds(1), TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public async Task Users_take_turns_so_that_many_conversions_of_one_do_not_hold_up_another()
    {
        _session.Options.MaxConcurrent = 1;
        var (gate, runs) = (Path.Combine(_session.Storage.Root, "gate"), Path.Combine(_session.Storage.Root, "runs"));
        await File.WriteAllTextAsync(runs, "", TestContext.Current.CancellationToken);
        OtherUsers.Allow(runs);
        _session.UseFFmpegScript($"read -r name; echo $name >> '{runs}'; while [ ! -e '{gate}' ]; do sleep 0.05; done; exit 1");
        var converter = Converter();
        foreach (var name in (string[])["anna1", "anna2", "anna3", "bert1", "carl1"])
            Assert.IsType<Conversion.Running>(await OfAsync(name));

        await File.WriteAllTextAsync(gate, "", TestContext.Current.CancellationToken);

        await Eventually.TrueAsync(() => File.ReadAllLines(runs).Length == 5);
        Assert.Equal(["anna1", "bert1", "carl1", "anna2", "anna3"], await File.ReadAllLinesAsync(runs, TestContext.Current.CancellationToken));

        async Task<Conversion> OfAsync(string name)
        {
            var recording = Path.Combine(Directory.CreateDirectory(_session.Storage.FinalFolder(UserId.Parse(name[..4]))).FullName, $"{name}.ogg");
            await File.WriteAllTextAsync(recording, $"{name}\n", TestContext.Current.CancellationToken);
            return await converter.ConvertAsync(
                recording, TimeSpan.FromMinutes(1), AudioFormat.Find("mp3")!, TimeSpan.FromMilliseconds(100), TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public async Task A_failed_conversion_leaves_no_files_and_can_be_retried()
    {
        _session.Write(await OpusPackets.OfToneAsync(500));
        await _session.RecordAsync();
        _session.UseFFmpegScript("exit 1");
        await Assert.ThrowsAsync<BadAudioException>(() => ConvertAsync(Converter(), "mp3"));
        Assert.Equal(["json", "ogg"], RemainingFiles());

        _session.Options.FFmpegPath = "ffmpeg";
        var converter = Converter();
        Assert.NotNull(await ConvertAsync(converter, "mp3"));
    }

    [Fact]
    public async Task A_failed_conversion_is_not_repeated_by_each_request_but_after_a_wait_that_grows()
    {
        _session.Write(await OpusPackets.OfToneAsync(500));
        await _session.RecordAsync();
        var runs = Path.Combine(_session.Storage.Root, "runs");
        _session.UseFFmpegScript($"echo run >> '{runs}'; exit 1");
        // Another user runs the script.
        await File.WriteAllTextAsync(runs, "", TestContext.Current.CancellationToken);
        OtherUsers.Allow(runs);
        var time = new FakeTimeProvider();
        var converter = Converter(time);

        await Assert.ThrowsAsync<BadAudioException>(() => RequestAsync(converter, "mp3", TimeSpan.FromDays(1)));
        var early = await Assert.ThrowsAsync<FailedEarlierException>(() => RequestAsync(converter, "mp3", TimeSpan.FromDays(1)));
        Assert.Equal((TimeSpan.FromMinutes(1), "FFmpeg rejected the recorded audio."), (early.Wait, early.Explanation));
        Assert.Equal(1, Runs());

        time.Advance(TimeSpan.FromSeconds(61));
        await Assert.ThrowsAsync<BadAudioException>(() => RequestAsync(converter, "mp3", TimeSpan.FromDays(1)));
        time.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal(TimeSpan.FromSeconds(59), (await Assert.ThrowsAsync<FailedEarlierException>(() => RequestAsync(converter, "mp3", TimeSpan.FromDays(1)))).Wait);
        Assert.Equal(2, Runs());

        time.Advance(TimeSpan.FromSeconds(60));
        _session.Options.FFmpegPath = "ffmpeg";
        Assert.IsType<Conversion.Ready>(await RequestAsync(converter, "mp3", TimeSpan.FromDays(1)));

        int Runs() => File.ReadAllLines(runs).Length;
    }

    [Fact]
    public async Task Deleting_a_recording_during_its_conversion_leaves_no_files()
    {
        _session.Write(await OpusPackets.OfToneAsync(500));
        await _session.RecordAsync();
        var gate = Path.Combine(_session.Storage.Root, "gate");
        _session.UseFFmpegScript($"ffmpeg \"$@\"; touch '{gate}.made'; while [ ! -e '{gate}' ]; do sleep 0.05; done");
        var converter = Converter();

        var conversion = ConvertAsync(converter, "wav");
        await Eventually.TrueAsync(() => File.Exists($"{gate}.made"));
        File.Delete(_session.Recording);
        await File.WriteAllTextAsync(gate, "", TestContext.Current.CancellationToken);

        await Assert.ThrowsAsync<FileNotFoundException>(() => conversion);
        Assert.Equal(["json"], RemainingFiles());
    }

    [Fact]
    public async Task Deleting_a_recording_deletes_converted_and_temporary_files()
    {
        _session.Write(await OpusPackets.OfToneAsync(500));
        await _session.RecordAsync();
        var converter = Converter();
        await ConvertAsync(converter, "mp3");
        await File.WriteAllTextAsync(TemporaryFile, "RIFF", TestContext.Current.CancellationToken);

        new FinalFiles(_session.Storage, new(_session.Storage)).Delete(_session.Bot.UserId, _session.Bot.Id);

        Assert.Empty(RemainingFiles());
    }

    [Fact]
    public async Task Abandoned_temporary_files_are_deleted_after_a_while()
    {
        Directory.CreateDirectory(_session.Storage.FinalFolder(_session.Bot.UserId));
        await File.WriteAllTextAsync(TemporaryFile, "RIFF", TestContext.Current.CancellationToken);
        var converter = Converter();

        converter.DeleteAbandonedFiles();
        Assert.True(File.Exists(TemporaryFile));
        File.SetLastWriteTimeUtc(TemporaryFile, TimeProvider.System.GetUtcNow().UtcDateTime.AddDays(-2));
        converter.DeleteAbandonedFiles();

        Assert.False(File.Exists(TemporaryFile));
    }

    private string TemporaryFile =>
        Path.Combine(_session.Storage.FinalFolder(_session.Bot.UserId), $".{_session.Bot.Id}.wav.0123456789abcdef0123456789abcdef.unfinished");

    private string[] RemainingFiles() =>
    [
        .. Directory.GetFiles(_session.Storage.FinalFolder(_session.Bot.UserId))
            .Select(file => Path.GetExtension(file)[1..])
            .Order(StringComparer.Ordinal),
    ];

    /// <returns>The path of the file.</returns>
    private async Task<string> ConvertAsync(RecordingConverter converter, string format) =>
        Assert.IsType<Conversion.Ready>(await RequestAsync(converter, format)).Path;

    private Task<Conversion> RequestAsync(RecordingConverter converter, string format, TimeSpan? timeout = null) => converter.ConvertAsync(
        _session.Recording, TimeSpan.FromMinutes(1), AudioFormat.Find(format)!, timeout ?? Timeout, TestContext.Current.CancellationToken);

    private RecordingConverter Converter(TimeProvider? time = null)
    {
        var options = Microsoft.Extensions.Options.Options.Create(_session.Options);
        return new(
            _session.Storage,
            _session.FFmpeg(),
            options,
            _host.Services.GetRequiredService<IHostApplicationLifetime>(),
            time ?? TimeProvider.System,
            NullLogger<RecordingConverter>.Instance);
    }
}
