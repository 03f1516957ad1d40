using NewarBots.Manager.Recordings;

namespace NewarBots.Tests.Recordings;

public sealed class PeakMeterTests
{
    [Fact]
    public void Each_peak_is_the_maximum_of_its_part_however_the_samples_are_batched()
    {
        var samples = new short[96_000 * 2];
        samples[0] = 16_384;
        samples[95_999] = short.MinValue;
        samples[191_999] = 3_277;
        var whole = new PeakMeter(TimeSpan.FromSeconds(4));
        var inBatches = new PeakMeter(TimeSpan.FromSeconds(4));

        whole.Measure(samples);
        for (var at = 0; at < samples.Length; at += 7_001)
            inBatches.Measure(samples.AsSpan(at, Math.Min(7_001, samples.Length - at)));

        Assert.Equal(whole.Peaks, inBatches.Peaks);
        Assert.Equal((0.5, 1, 0, 0.1), (whole.Peaks[0], whole.Peaks[9_999], whole.Peaks[10_000], whole.Peaks[19_999]));
        Assert.Equal(RecordingWaveforms.MaxPeaks, whole.Peaks.Count);
    }

    [Fact]
    public void Samples_beyond_the_expected_length_count_towards_the_last_peak()
    {
        var meter = new PeakMeter(TimeSpan.FromSeconds(1));

        meter.Measure(new short[48_000]);
        meter.Measure([short.MaxValue, 5]);

        Assert.Equal(1, meter.Peaks[^1]);
    }
}
