using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Finalizing;

public sealed class RecordingFinalizerTests : IDisposable
{
    private readonly RecordedSession _session = new();

    public void Dispose() => _session.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(500)]
    [InlineData(777)]
    [InlineData(18_000)]
    public async Task Chunks_become_one_recording_that_decodes_to_the_very_samples_of_one_stream(int packets)
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
}
