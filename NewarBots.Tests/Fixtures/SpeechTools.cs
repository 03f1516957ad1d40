using System.Buffers.Binary;
using CliWrap;
using CliWrap.Buffered;
using NewarBots.Contract;

namespace NewarBots.Tests.Fixtures;

/// <summary>Debian's espeak-ng, which speaks, and PocketSphinx, which recognizes a few words, in a container.</summary>
internal sealed class SpeechTools : IAsyncDisposable
{
    /// <summary>Words that sound different, also in a synthetic voice.</summary>
    public static readonly IReadOnlyList<string> Words = ["monday", "elephant", "computer", "banana", "telephone", "seventeen", "window", "hospital"];

    private const string Image = "newarbots-tests/speech:dev";

    private const int WavHeader = 44;

    private readonly string _name = $"newarbots-tests-speech-{SessionId.New(TimeProvider.System)}";

    /// <returns>The running tools, or <see langword="null"/> and the reason if they cannot be installed here.</returns>
    public static async Task<(SpeechTools? Tools, string? Missing)> StartAsync()
    {
        if (await BuildImageAsync() is { } failure)
            return (null, failure);
        var tools = new SpeechTools();
        await DockerCli.RunAsync("run", "--detach", "--rm", "--init", "--network", "none", "--name", tools._name, Image, "sleep", "infinity");
        return (tools, null);
    }

    /// <returns>16-bit samples at 22,050 Hz.</returns>
    public async Task<short[]> SpeakAsync(string voice, string text)
    {
        using var wav = new MemoryStream();
        await Cli.Wrap("docker").WithArguments(["exec", _name, "espeak-ng", "--stdout", "-v", voice, "-s", "130", text])
            .WithStandardOutputPipe(PipeTarget.ToStream(wav))
            .ExecuteAsync();
        var bytes = wav.ToArray().AsSpan(WavHeader);
        var samples = new short[bytes.Length / 2];
        for (var at = 0; at < samples.Length; at++)
            samples[at] = BinaryPrimitives.ReadInt16LittleEndian(bytes[(2 * at)..]);
        return samples;
    }

    /// <param name="ogg">An audio file that FFmpeg can read.</param>
    /// <returns>The recognized words, separated by spaces.</returns>
    public async Task<string> RecognizeAsync(byte[] ogg)
    {
        using var wav = new MemoryStream();
        await Cli.Wrap("ffmpeg").WithArguments(["-loglevel", "error", "-i", "pipe:0", "-af", "apad=pad_dur=0.5", "-ar", "16000", "-ac", "1", "-f", "s16le", "pipe:1"])
            .WithStandardInputPipe(PipeSource.FromBytes(ogg))
            .WithStandardOutputPipe(PipeTarget.ToStream(wav))
            .ExecuteAsync();
        var grammar = $"#JSGF V1.0; grammar words; public <words> = ({string.Join(" | ", Words)})+;";
        var recognized = await Cli.Wrap("docker")
            .WithArguments(
            [
                "exec", "--interactive", _name, "sh", "-c",
                $"file=$(mktemp) && cat >$file && echo '{grammar}' >$file.gram && pocketsphinx_continuous -infile $file -jsgf $file.gram -logfn /dev/null",
            ])
            .WithStandardInputPipe(PipeSource.FromBytes(wav.ToArray()))
            .ExecuteBufferedAsync();
        return string.Join(' ', recognized.StandardOutput.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
    }

    public async ValueTask DisposeAsync() => await DockerCli.RunAsync("rm", "--force", _name);

    private static async Task<string?> BuildImageAsync()
    {
        const string dockerfile = """
            FROM debian:bookworm-slim
            RUN apt-get update && apt-get install --yes --no-install-recommends espeak-ng pocketsphinx pocketsphinx-en-us && rm -rf /var/lib/apt/lists/*
            """;
        var built = await Cli.Wrap("docker").WithArguments(["build", "--tag", Image, "-"])
            .WithStandardInputPipe(PipeSource.FromString(dockerfile))
            .WithValidation(CommandResultValidation.None)
            .ExecuteBufferedAsync();
        return built.IsSuccess ? null : $"espeak-ng and PocketSphinx cannot be installed on this machine: {built.StandardError.Trim().Split('\n')[^1]}";
    }
}
