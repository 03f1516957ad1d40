using System.Text.Json;
using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Bots.Transcripts;
using NewarBots.Manager.Recordings.Transcripts;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Recordings.Transcripts;

/// <summary>Spoken words, recorded, finalized, cut, recognized and merged by the real programs.</summary>
[Trait("Suite", "Long")]
public sealed class SpokenTranscriptTests : IDisposable
{
    private const int SpeechRate = 22_050;
    private const double LongestError = 0.15;

    /// <summary>Tolerance of times, in seconds.</summary>
    private const double Tolerance = 0.5;

    /// <summary>Each turn has a speaker, a start in seconds and words.</summary>
    private static readonly (int Speaker, double Start, string Text)[] Turns =
    [
        (1, 1, "monday elephant computer"), (2, 6, "banana telephone"), (1, 10, "seventeen window"), (2, 14, "hospital monday seventeen"), (1, 19, "banana hospital"),
        (2, 23, "elephant window"), (1, 27, "telephone computer monday"), (2, 32, "computer banana"),
    ];

    private static readonly (string Name, string Voice)[] Speakers = [("Ada", "en-us"), ("Ben", "en-us+m3")];

    private readonly RecordedSession _session = new();

    public void Dispose() => _session.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Spoken_words_are_in_the_transcript_by_the_right_speakers_at_the_right_times(bool hasTracks)
    {
        var (installed, missing) = await SpeechTools.StartAsync();
        Assert.SkipWhen(installed is null, missing ?? "");
        await using var tools = installed!;
        await RecordAsync(tools, hasTracks);
        await using var stub = new SpeechServerStub
        {
            Answer = (request, _) => SpeechServerStub.Json(JsonSerializer.Serialize(new { text = tools.RecognizeAsync(request.Audio).GetAwaiter().GetResult() })),
        };
        await stub.StartAsync();
        var options = Options.Create(new TranscriptionOptions { Endpoint = stub.Url });
        using var server = new SpeechServer(options, TimeProvider.System);
        var maker = new TranscriptMaker(_session.Storage, _session.FFmpeg(), server, options, TimeProvider.System);

        var transcript = await maker.MakeAsync(_session.Bot, _ => Task.CompletedTask, TestContext.Current.CancellationToken);

        Assert.Equal(Turns.Select(turn => Speakers[turn.Speaker - 1].Name), transcript.Segments.Select(segment => segment.Speaker));
        Assert.All(transcript.Segments.Zip(Turns), pair => Assert.InRange(pair.First.Start, pair.Second.Start - Tolerance, pair.Second.Start + Tolerance));
        var errors = transcript.Segments.Zip(Turns).Sum(pair => Distance(pair.First.Text.Split(' '), pair.Second.Text.Split(' ')));
        var rate = (double)errors / Turns.Sum(turn => turn.Text.Split(' ').Length);
        TestContext.Current.TestOutputHelper?.WriteLine($"Word error {rate:0.0 %}: {string.Join(" | ", transcript.Segments.Select(segment => segment.Text))}");
        Assert.InRange(rate, 0, LongestError);
    }

    /// <summary>Records both speakers into the mix, each into a track if wanted, and their times into the journal.</summary>
    private async Task RecordAsync(SpeechTools tools, bool hasTracks)
    {
        const int Seconds = 38;
        var journal = new List<string>();
        var alone = Speakers.Select(_ => new short[Seconds * SpeechRate]).ToArray();
        foreach (var (speaker, start, text) in Turns)
        {
            var spoken = await tools.SpeakAsync(Speakers[speaker - 1].Voice, text.Replace(" ", ", ", StringComparison.Ordinal));
            spoken.CopyTo(alone[speaker - 1], (int)(start * SpeechRate));
            journal.Add(Journal.Format(new(Speech: new($"track:{speaker}", start, start + ((double)spoken.Length / SpeechRate), -20, Speakers[speaker - 1].Name))));
        }

        _session.Write(await EncodeAsync([.. alone[0].Zip(alone[1], (one, other) => (short)Math.Clamp(one + other, short.MinValue, short.MaxValue))]));
        for (var speaker = 1; speaker <= Speakers.Length && hasTracks; speaker++)
            _session.WriteTrack(speaker, 0, await EncodeAsync(alone[speaker - 1]));
        _session.WriteJournal([.. journal]);
        await _session.RecordAsync();
    }

    private async Task<IReadOnlyList<byte[]>> EncodeAsync(short[] samples)
    {
        var raw = Path.Combine(_session.Storage.Root, "spoken.wav");
        await using (var file = new BinaryWriter(File.Create(raw)))
        {
            file.Write("RIFF"u8);
            file.Write(36 + (2 * samples.Length));
            file.Write("WAVEfmt "u8);
            file.Write(16);
            file.Write((short)1);
            file.Write((short)1);
            file.Write(SpeechRate);
            file.Write(2 * SpeechRate);
            file.Write((short)2);
            file.Write((short)16);
            file.Write("data"u8);
            file.Write(2 * samples.Length);
            file.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes(samples.AsSpan()));
        }

        return await OpusPackets.EncodeAsync($"amovie={raw},aresample=48000");
    }

    /// <summary>The number of words to insert, delete or replace.</summary>
    private static int Distance(string[] heard, string[] said)
    {
        var row = Enumerable.Range(0, said.Length + 1).ToArray();
        for (var at = 1; at <= heard.Length; at++)
        {
            var diagonal = row[0];
            row[0] = at;
            for (var other = 1; other <= said.Length; other++)
            {
                var above = row[other];
                row[other] = Math.Min(Math.Min(row[other] + 1, row[other - 1] + 1), diagonal + (heard[at - 1] == said[other - 1] ? 0 : 1));
                diagonal = above;
            }
        }

        return row[^1];
    }
}
