using System.Globalization;
using System.Text.Json;
using CliWrap;
using CliWrap.Buffered;
using Microsoft.AspNetCore.Http;
using NewarBots.Manager.Rehearsal;

namespace NewarBots.Tests.Fixtures;

/// <summary>
/// Recognizes the words of rehearsals with Debian's PocketSphinx (<c>pocketsphinx</c> and <c>pocketsphinx-en-us</c>), whose grammar allows nothing else,
/// and answers as a speech server does.
/// </summary>
internal sealed class PocketSphinx : IDisposable
{
    private const string Program = "pocketsphinx_continuous";

    private readonly string _folder = Directory.CreateTempSubdirectory("newarbots-speech-").FullName;
    private readonly string _grammar;

    public PocketSphinx()
    {
        _grammar = Path.Combine(_folder, "words.gram");
        File.WriteAllText(_grammar, $"#JSGF V1.0;\ngrammar words;\npublic <words> = ({string.Join(" | ", SpokenWords.All)})*;\n");
    }

    public static bool IsInstalled { get; } =
        Environment.GetEnvironmentVariable("PATH")!.Split(':').Any(folder => File.Exists(Path.Combine(folder, Program)))
        && Directory.Exists("/usr/share/pocketsphinx/model/en-us/en-us");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    public IResult Answer(SpeechRequest request) => new Recognition(this, request);

    private async Task<IReadOnlyList<(string Word, double Start, double End)>> RecognizeAsync(byte[] ogg)
    {
        var wave = Path.Combine(_folder, $"{Path.GetRandomFileName()}.wav");
        await Cli.Wrap("ffmpeg").WithArguments(["-v", "error", "-i", "-", "-ac", "1", "-ar", "16000", wave])
            .WithStandardInputPipe(PipeSource.FromBytes(ogg)).ExecuteBufferedAsync();
        // Without silences, its times are wrong.
        var lines = await Cli.Wrap(Program)
            .WithArguments(["-infile", wave, "-jsgf", _grammar, "-time", "yes", "-remove_silence", "no", "-logfn", "/dev/null"]).ExecuteBufferedAsync();
        File.Delete(wave);
        return
        [
            .. lines.StandardOutput.Split('\n').Select(line => line.Split(' '))
                .Where(parts => parts is [[>= 'a' and <= 'z', ..], _, _, _] && double.TryParse(parts[1], CultureInfo.InvariantCulture, out _))
                // Other pronunciations have a number: market(2).
                .Select(parts => (parts[0].Split('(')[0], double.Parse(parts[1], CultureInfo.InvariantCulture), double.Parse(parts[2], CultureInfo.InvariantCulture))),
        ];
    }

    private sealed class Recognition(PocketSphinx recognizer, SpeechRequest request) : IResult
    {
        public async Task ExecuteAsync(HttpContext context)
        {
            var words = await recognizer.RecognizeAsync(request.Audio);
            var text = string.Join(' ', words.Select(word => word.Word));
            var answer = new
            {
                text,
                language = "english",
                segments = words.Count == 0 ? [] : new[] { new { start = words[0].Start, end = words[^1].End, text } },
                words = words.Select(word => new { word = word.Word, start = word.Start, end = word.End }),
            };
            await SpeechServerStub.Json(JsonSerializer.Serialize(answer)).ExecuteAsync(context);
        }
    }
}
