using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using CliWrap;
using CliWrap.Buffered;

namespace NewarBots.Tests.Fixtures;

/// <summary>
/// The server of whisper.cpp, built by <c>eng/whisper-server</c>. Its model is generated: the weights are random, so it answers with the real protocol and
/// invented words.
/// </summary>
internal sealed class WhisperServer : IAsyncDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromMinutes(1);

    private readonly string _folder = Directory.CreateTempSubdirectory("newarbots-whisper-").FullName;
    private readonly Process _process;

    private WhisperServer(string program)
    {
        var (model, port) = (Path.Combine(_folder, "model.bin"), TestPort.Next());
        using (var file = File.Create(model))
            RandomModel.Write(file);
        Url = $"http://127.0.0.1:{port}";
        // Without these limits, it decodes each piece six times, because it is not sure of random words.
        string[] limits = ["--no-fallback", "--best-of", "1", "--beam-size", "1", "--threads", "2"];
        // Its converted files are in its working folder.
        _process = Process.Start(new ProcessStartInfo(
            program, ["--model", model, "--host", "127.0.0.1", "--port", $"{port}", "--inference-path", "/v1/audio/transcriptions", "--convert", "--tmp-dir", _folder, .. limits])
        {
            WorkingDirectory = _folder,
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        _process.OutputDataReceived += (_, _) => { };
        _process.ErrorDataReceived += (_, _) => { };
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public string Url { get; }

    /// <returns>The path of the program, or why there is none.</returns>
    public static async Task<(string? Program, string? Reason)> FindAsync()
    {
        var found = await Cli.Wrap(Repository.PathOf("eng", "whisper-server")).WithArguments(["built"]).WithValidation(CommandResultValidation.None).ExecuteBufferedAsync();
        return found.IsSuccess ? (found.StandardOutput.Trim(), null) : (null, found.StandardError.Trim());
    }

    public static async Task<WhisperServer> StartAsync(string program)
    {
        var server = new WhisperServer(program);
        using var client = new HttpClient();
        await Eventually.TrueAsync(
            async () =>
            {
                Assert.False(server._process.HasExited, "whisper-server has exited.");
                try
                {
                    return (await client.GetAsync(new Uri($"{server.Url}/health"))).IsSuccessStatusCode;
                }
                catch (HttpRequestException)
                {
                    return false;
                }
            },
            StartTimeout);
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>A model in whisper.cpp's format (<c>whisper_model_load</c>), with one layer and the vocabulary of English words <c>w0</c>, <c>w1</c>, ….</summary>
    private static class RandomModel
    {
        private const int State = 64;
        private const int Vocabulary = 51_864;
        private const int Words = 50_257;

        /// <summary>The decoder looks up a token that is one space.</summary>
        private const int Space = 220;
        private const int AudioContext = 1500;
        private const int TextContext = 448;
        private const int Mels = 80;
        private const int Frequencies = 201;
        private const int HalfPrecision = 1;

        public static void Write(Stream file)
        {
            // The same model each time, which speaks rather than being silent.
            var random = new Random(7);
            Numbers(0x67676d6c, Vocabulary, AudioContext, State, 1, 1, TextContext, State, 1, 1, Mels, HalfPrecision);
            Numbers(Mels, Frequencies);
            Floats(Enumerable.Range(0, Mels * Frequencies).Select(at => at % Frequencies * Mels / Frequencies == at / Frequencies ? 0.02f : 0));
            Numbers(Words);
            for (var word = 0; word < Words; word++)
                Text(word == Space ? " " : $" w{word}");

            Tensor("encoder.positional_embedding", State, AudioContext);
            Tensor("encoder.conv1.weight", 3, Mels, State);
            Tensor("encoder.conv1.bias", 1, State);
            Tensor("encoder.conv2.weight", 3, State, State);
            Tensor("encoder.conv2.bias", 1, State);
            Scale("encoder.ln_post");
            Tensor("decoder.positional_embedding", State, TextContext);
            Tensor("decoder.token_embedding.weight", State, Vocabulary);
            Scale("decoder.ln");
            foreach (var block in (string[])["encoder.blocks.0", "decoder.blocks.0"])
            {
                Scale($"{block}.mlp_ln");
                Layer($"{block}.mlp.0", State, 4 * State);
                Layer($"{block}.mlp.2", 4 * State, State);
                Attention($"{block}.attn");
            }

            Attention("decoder.blocks.0.cross_attn");

            void Attention(string name)
            {
                Scale($"{name}_ln");
                Layer($"{name}.query", State, State);
                Tensor($"{name}.key.weight", State, State);
                Layer($"{name}.value", State, State);
                Layer($"{name}.out", State, State);
            }

            void Layer(string name, int from, int to)
            {
                Tensor($"{name}.weight", from, to);
                Tensor($"{name}.bias", to);
            }

            void Scale(string name)
            {
                Tensor($"{name}.weight", State);
                Tensor($"{name}.bias", State);
            }

            void Tensor(string name, params int[] sizes)
            {
                var isHalf = sizes.Length > 1 && name.EndsWith(".weight", StringComparison.Ordinal);
                Numbers([sizes.Length, name.Length, isHalf ? HalfPrecision : 0, .. sizes]);
                file.Write(Encoding.ASCII.GetBytes(name));
                var values = Enumerable.Range(0, sizes.Aggregate((all, size) => all * size)).Select(_ => random.NextSingle() - 0.5f);
                if (isHalf)
                    file.Write(MemoryMarshal.AsBytes<Half>([.. values.Select(value => (Half)value)]));
                else
                    Floats(values);
            }

            void Text(string text)
            {
                Numbers(text.Length);
                file.Write(Encoding.ASCII.GetBytes(text));
            }

            void Numbers(params int[] numbers) => file.Write(MemoryMarshal.AsBytes<int>(numbers));

            void Floats(IEnumerable<float> numbers) => file.Write(MemoryMarshal.AsBytes<float>([.. numbers]));
        }
    }
}
