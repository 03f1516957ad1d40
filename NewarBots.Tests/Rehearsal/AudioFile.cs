using System.Runtime.InteropServices;
using System.Text;
using CliWrap;

namespace NewarBots.Tests.Rehearsal;

/// <summary>Decodes and encodes audio files with FFmpeg. Samples are 48 kHz mono; full scale is 1.</summary>
internal static class AudioFile
{
    public const int SampleRate = 48_000;

    private static readonly string[] Raw = ["-f", "f32le", "-ac", "1", "-ar", $"{SampleRate}"];

    /// <summary>Decodes a whole file; throws on any decoder warning.</summary>
    public static async Task<float[]> DecodeAsync(string path)
    {
        using var output = new MemoryStream();
        await RunAsync(
            ["-v", "warning", "-xerror", "-err_detect", "explode", "-i", path, .. Raw, "-"],
            PipeSource.Null,
            PipeTarget.ToStream(output));
        return MemoryMarshal.Cast<byte, float>(output.GetBuffer().AsSpan(0, (int)output.Length)).ToArray();
    }

    public static Task EncodeOpusAsync(float[] samples, string path) => RunAsync(
        ["-v", "error", .. Raw, "-i", "-", "-c:a", "libopus", "-b:a", "48k", path],
        PipeSource.FromBytes(MemoryMarshal.AsBytes(samples.AsSpan()).ToArray()),
        PipeTarget.Null);

    private static async Task RunAsync(string[] arguments, PipeSource input, PipeTarget output)
    {
        var warnings = new StringBuilder();
        var result = await Cli.Wrap("ffmpeg")
            .WithArguments(arguments)
            .WithStandardInputPipe(input)
            .WithStandardOutputPipe(output)
            .WithStandardErrorPipe(PipeTarget.ToStringBuilder(warnings))
            .WithValidation(CommandResultValidation.None)
            .ExecuteAsync();
        if (!result.IsSuccess || warnings.Length > 0)
            throw new InvalidDataException($"ffmpeg {string.Join(' ', arguments)} exited with {result.ExitCode}: {warnings}");
    }
}
