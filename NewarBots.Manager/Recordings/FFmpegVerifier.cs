using System.Runtime.InteropServices;
using NewarBots.Contract;

namespace NewarBots.Manager.Recordings;

/// <summary>Decodes a whole file and measures the result, independent of the length that its headers claim.</summary>
internal sealed class FFmpegVerifier(FFmpeg ffmpeg)
{
    /// <param name="file">An Ogg Opus file, relative to the folder.</param>
    /// <param name="expected">Expected length, which determines the limits.</param>
    /// <param name="cancellation">Kills FFmpeg.</param>
    /// <param name="mayBeEmpty">An empty result is valid. If false, it means that FFmpeg is broken.</param>
    /// <exception cref="BadAudioException">The file cannot be decoded to its end.</exception>
    public async Task<DecodedAudio> DecodeAsync(string folder, string file, TimeSpan expected, CancellationToken cancellation, bool mayBeEmpty = false)
    {
        var meter = new AudioMeter();
        await ffmpeg.RunAsync(
            new([.. FFmpegPcm.Arguments($"file:{file}")], expected)
            {
                WorkingFolder = folder,
                Output = new((samples, token) => (meter = new AudioMeter()).ReadAsync(samples, token), () => mayBeEmpty || meter.Result.Samples > 0),
            },
            cancellation);
        return meter.Result;
    }
}

/// <summary>Decodes an Ogg Opus file to 16-bit mono PCM of this machine's byte order.</summary>
internal static class FFmpegPcm
{
    /// <param name="address">As in <see cref="FFmpeg.Input"/>.</param>
    public static IEnumerable<string> Arguments(string address) =>
    [
        "-xerror", .. FFmpeg.Input("ogg", address),
        "-map", "0:a:0", "-ac", $"{ChunkFormat.Channels}", "-ar", $"{ChunkFormat.SampleRate}",
        // Frames of one second: frames of 20 ms take a third more time. p=0: the last frame is not padded.
        "-af", "asetnsamples=n=48000:p=0", "-f", BitConverter.IsLittleEndian ? "s16le" : "s16be", "pipe:1",
    ];
}

/// <param name="Samples">Number of samples at 48 kHz.</param>
/// <param name="AudiblePackets">Number of 20 ms stretches that are not silent (<see cref="ChunkFormat.AudibleLevel"/>).</param>
internal readonly record struct DecodedAudio(long Samples, long AudiblePackets)
{
    public TimeSpan Length => TimeSpan.FromSeconds((double)Samples / ChunkFormat.SampleRate);
}

/// <summary>Counts all samples and the audible stretches in 16-bit PCM of this machine's byte order.</summary>
internal sealed class AudioMeter
{
    private const int BytesPerPacket = ChunkFormat.SamplesPerPacket * sizeof(short);

    private static readonly long AudibleEnergy =
        (long)(ChunkFormat.SamplesPerPacket * Math.Pow(short.MaxValue * Math.Pow(10, ChunkFormat.AudibleLevel / 20.0), 2));

    public DecodedAudio Result { get; private set; }

    public async Task ReadAsync(Stream pcm, CancellationToken cancellation)
    {
        var buffer = new byte[64 * BytesPerPacket];
        int read;
        do
        {
            read = await pcm.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellation);
            Result = Measure(buffer.AsSpan(0, read));
        }
        while (read == buffer.Length);
    }

    private DecodedAudio Measure(ReadOnlySpan<byte> pcm)
    {
        var samples = MemoryMarshal.Cast<byte, short>(pcm);
        var audible = Result.AudiblePackets;
        for (var at = 0; at < samples.Length; at += ChunkFormat.SamplesPerPacket)
            audible += IsAudible(samples[at..Math.Min(samples.Length, at + ChunkFormat.SamplesPerPacket)]) ? 1 : 0;
        return new(Result.Samples + samples.Length, audible);
    }

    // Returns early: audible packets exceed the limit after a few samples.
    private static bool IsAudible(ReadOnlySpan<short> packet)
    {
        var energy = 0L;
        foreach (var sample in packet)
        {
            energy += sample * sample;
            if (energy > AudibleEnergy)
                return true;
        }

        return false;
    }
}
