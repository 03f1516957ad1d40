using System.Runtime.InteropServices;
using CliWrap;
using NewarBots.Contract;

namespace NewarBots.Manager.Recordings;

/// <summary>Decodes a whole file and measures the result, independent of the length that its headers claim.</summary>
internal sealed class FFmpegVerifier(FFmpeg ffmpeg)
{
    /// <param name="path">An audio file.</param>
    /// <param name="expected">Expected length, which determines the timeout.</param>
    /// <param name="cancellation">Kills FFmpeg.</param>
    /// <exception cref="BadAudioException">The file cannot be decoded to its end.</exception>
    public async Task<DecodedAudio> DecodeAsync(string path, TimeSpan expected, CancellationToken cancellation)
    {
        var meter = new AudioMeter();
        string[] arguments =
        [
            "-xerror", "-i", $"file:{path}",
            "-map", "0:a:0", "-ac", $"{ChunkFormat.Channels}", "-ar", $"{ChunkFormat.SampleRate}",
            // Frames of one second: frames of 20 ms take a third more time. p=0: the last frame is not padded.
            "-af", "asetnsamples=n=48000:p=0", "-f", BitConverter.IsLittleEndian ? "s16le" : "s16be", "pipe:1",
        ];
        await ffmpeg.RunAsync(
            arguments,
            expected,
            () => PipeTarget.Create((samples, token) => (meter = new AudioMeter()).ReadAsync(samples, token)),
            cancellation);
        return meter.Result;
    }
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
