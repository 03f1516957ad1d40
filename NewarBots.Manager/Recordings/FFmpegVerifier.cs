using System.Runtime.InteropServices;
using CliWrap;
using NewarBots.Contract;

namespace NewarBots.Manager.Recordings;

/// <summary>Decodes a file whole and measures what comes out: whatever it claims about itself, this is what a listener gets.</summary>
internal sealed class FFmpegVerifier(FFmpeg ffmpeg)
{
    /// <param name="path">An audio file.</param>
    /// <param name="expected">How long it should be; bounds the time that this may take.</param>
    /// <param name="cancellation">Kills FFmpeg.</param>
    /// <exception cref="BadAudioException">It cannot be decoded to its end.</exception>
    public async Task<DecodedAudio> DecodeAsync(string path, TimeSpan expected, CancellationToken cancellation)
    {
        var meter = new AudioMeter();
        string[] arguments =
        [
            "-xerror", "-i", $"file:{path}",
            "-map", "0:a:0", "-ac", $"{ChunkFormat.Channels}", "-ar", $"{ChunkFormat.SampleRate}",
            // Handed over a second at a time: 20 ms at a time costs a third more. p=0: the last second is not padded.
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

/// <param name="Samples">At 48 kHz.</param>
/// <param name="AudiblePackets">How many stretches of 20 ms are not silent (<see cref="ChunkFormat.AudibleLevel"/>).</param>
internal readonly record struct DecodedAudio(long Samples, long AudiblePackets)
{
    public TimeSpan Length => TimeSpan.FromSeconds((double)Samples / ChunkFormat.SampleRate);
}

/// <summary>Counts the samples of a stream of 16-bit PCM, as this machine orders its bytes, and how much of it is audible.</summary>
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

    // Ends as soon as it is sure, which in anything but silence is soon.
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
