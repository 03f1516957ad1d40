using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using NewarBots.Contract;
using NewarBots.Manager.Recordings;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Recordings;

public sealed class RecordingWaveformsTests : IDisposable
{
    private readonly RecordedSession _session = new();

    public void Dispose() => _session.Dispose();

    [Fact]
    public async Task A_broken_FFmpeg_makes_no_waveform_and_a_repaired_one_makes_it()
    {
        _session.Write(await OpusPackets.OfToneAsync(50));
        var length = TimeSpan.FromSeconds((await _session.RecordAsync()).Recording.DurationSeconds);
        _session.UseFFmpegScript("exit 0");
        var time = new FakeTimeProvider();
        using var waveforms = new RecordingWaveforms(_session.FFmpeg(), time, NullLogger<RecordingWaveforms>.Instance);

        await Assert.ThrowsAsync<FFmpegMissingException>(CreateAsync);
        Assert.False(File.Exists(StorageLayout.Waveform(_session.Recording)));

        _session.Options.FFmpegPath = "ffmpeg";
        await Assert.ThrowsAsync<FailedEarlierException>(CreateAsync);
        time.Advance(TimeSpan.FromSeconds(6));
        Assert.True(File.Exists(await CreateAsync()));

        Task<string?> CreateAsync() => waveforms.CreateAsync(_session.Recording, length, TestContext.Current.CancellationToken);
    }
}
