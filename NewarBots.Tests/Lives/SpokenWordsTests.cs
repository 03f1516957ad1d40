using System.Net;
using NewarBots.Contract;
using NewarBots.Manager.Recordings.Transcripts;
using NewarBots.Manager.Rehearsal;
using NewarBots.Tests.Fixtures;
using NewarBots.Tests.Rehearsal;

namespace NewarBots.Tests.Lives;

/// <summary>Participants who speak, from the meeting to the transcript: real words, recognized by a real recognizer.</summary>
[Trait(LifeTests.Group, CallTests.Name)]
[Trait("Suite", "Long")]
public sealed class SpokenWordsTests(RedisServer redis) : IClassFixture<RedisServer>
{
    public const string Scenario = "spoken";

    private const double MostErrors = 0.15;

    /// <summary>The largest difference in the time of a word, in seconds.</summary>
    private const double Tolerance = 0.5;

    /// <summary>The voices are at -16 dBFS, and silence is below -60.</summary>
    private const float Audible = 0.005f;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true, $"scenario={Scenario}")]
    // In the mix, two voices at once disturb each other.
    [InlineData(false, $"scenario={Scenario}&speak=0:3-9,1:11-17,2:19-25,0:27-31,1:31-33")]
    public async Task Transcript_has_the_words_of_each_speaker_at_their_times(bool hasTrackFiles, string query)
    {
        Assert.SkipUnless(PocketSphinx.IsInstalled, "Needs PocketSphinx: sudo apt-get install pocketsphinx pocketsphinx-en-us");
        using var recognizer = new PocketSphinx();
        await using var server = new SpeechServerStub { Answer = (request, _) => recognizer.Answer(request) };
        await server.StartAsync();
        await using var manager = await ManagerProcess.StartAsync(
            redis.Configuration, ("Transcription__Endpoint", server.Url), ("Transcription__Language", "de"), ("Recording__TrackFiles", hasTrackFiles ? "true" : "false"));
        var (status, posted) = await manager.PostAsync(
            "/bots", $$"""{"meetingUrl": "{{manager.Rehearsal(query)}}", "userId": "anna", "transcript": {"enabled": true, "language": "en"} }""");
        Assert.True(status is HttpStatusCode.Accepted, $"{posted}");
        var id = (string)posted!["id"]!;
        await manager.UntilAsync(id, TimeSpan.FromMinutes(3), "completed");
        var bot = await Eventually.NotNullAsync(
            async () => (await manager.GetAsync($"/bots/{id}")).Body is { } shown && (string?)shown["transcript"]!["status"] is "completed" or "failed" ? shown : null, TimeSpan.FromMinutes(2));
        Assert.True((string?)bot["transcript"]!["status"] == "completed", $"{bot}\n{manager.Output}");

        var transcript = Transcript.TryRead(new StorageLayout(manager.Storage).Transcript(UserId.Parse("anna"), SessionId.Parse(id)))!;
        var stalls = BusyMachine.AssertOnlyStallsAreMissing(manager.Storage, bot);
        var scenario = RehearsalQuery.Read(query.Split('&').Select(part => part.Split('=')).Select(pair => KeyValuePair.Create(pair[0], pair[1]))).Scenario!;
        var begin = await FirstSoundAsync(manager, id) - scenario.Participants.SelectMany(participant => participant.Speaks!).Min(span => span.From);
        var (errors, words, late) = (0, 0, new List<string>());
        foreach (var (number, participant) in scenario.Participants.Index())
        {
            var spoken = participant.Speaks!.SelectMany(span => Enumerable.Range(span.From, span.To - span.From)).Order()
                .Select(second => new Word(SpokenWords.At(number, second), begin + second)).Where(word => !IsLost(word, stalls)).ToList();
            var heard = WordsOf(transcript, participant.Name).Where(word => !IsLost(word, stalls)).ToList();
            var (wrong, pairs) = Align(spoken, heard);
            (errors, words) = (errors + wrong, words + spoken.Count);
            late.AddRange(pairs.Where(pair => Math.Abs(pair.Spoken.At - pair.Heard.At) > Tolerance).Select(pair => $"{pair.Spoken} at {pair.Heard.At:0.00}"));
            TestContext.Current.TestOutputHelper!.WriteLine(
                $"{participant.Name}: {wrong} of {spoken.Count} words are wrong, times differ by at most {pairs.Select(pair => Math.Abs(pair.Spoken.At - pair.Heard.At)).DefaultIfEmpty().Max():0.00} s\n"
                + $"  spoken {string.Join(' ', spoken)}\n  heard  {string.Join(' ', heard)}");
        }

        // Words without a speaker, or of somebody who is not there, are errors, too.
        errors += transcript.Segments.Where(segment => scenario.Participants.All(participant => participant.Name != segment.Speaker)).Sum(segment => segment.Words?.Count ?? 1);
        TestContext.Current.TestOutputHelper!.WriteLine($"Word error rate {(double)errors / words:0.0 %} ({errors} of {words}), {(hasTrackFiles ? "track files" : "mix")}");
        Assert.True(words >= 20 && errors < MostErrors * words, $"{errors} of {words} words are wrong\n{string.Join('\n', transcript.Segments)}\n{bot}");
        Assert.Empty(late);
        Assert.All(server.Requests, request => Assert.Equal("en", request.Fields["language"]));
        if (hasTrackFiles)
        {
            var (ada, grace) = (scenario.Participants[0].Name, scenario.Participants[1].Name);
            Assert.Contains(transcript.Segments, segment => segment.Speaker == ada && segment.Overlaps?.Contains(grace) is true);
            Assert.Contains(transcript.Segments, segment => segment.Speaker == grace && segment.Overlaps?.Contains(ada) is true);
        }
    }

    private static async Task<double> FirstSoundAsync(ManagerProcess manager, string id)
    {
        var file = Path.Combine(manager.Storage, $"{Path.GetRandomFileName()}.ogg");
        await File.WriteAllBytesAsync(file, await manager.Api.GetByteArrayAsync(new Uri($"/bots/{id}/recording", UriKind.Relative), Cancellation), Cancellation);
        return Array.FindIndex(await AudioFile.DecodeAsync(file), sample => Math.Abs(sample) > Audible) / (double)AudioFile.SampleRate;
    }

    private static IEnumerable<Word> WordsOf(Transcript transcript, string speaker) =>
        transcript.Segments.Where(segment => segment.Speaker == speaker).SelectMany(segment => segment.Words ?? []).OrderBy(word => word.Start).Select(word => new Word(word.Text, word.Start));

    private static bool IsLost(Word word, IEnumerable<Gap> stalls) => stalls.Any(gap => word.At < gap.EndSeconds + 1 && word.At + 1 > gap.StartSeconds - 1);

    /// <summary>Words that are wrong, missing or too many, by the least number of changes; and the right ones.</summary>
    private static (int Errors, List<(Word Spoken, Word Heard)> Right) Align(List<Word> spoken, List<Word> heard)
    {
        var costs = new int[spoken.Count + 1, heard.Count + 1];
        for (var i = spoken.Count; i >= 0; i--)
        {
            for (var j = heard.Count; j >= 0; j--)
            {
                costs[i, j] = i == spoken.Count ? heard.Count - j
                    : j == heard.Count ? spoken.Count - i
                    : Math.Min(costs[i + 1, j + 1] + Differ(i, j), 1 + Math.Min(costs[i + 1, j], costs[i, j + 1]));
            }
        }

        var right = new List<(Word, Word)>();
        for (var (i, j) = (0, 0); i < spoken.Count && j < heard.Count;)
        {
            if (costs[i, j] == costs[i + 1, j + 1] + Differ(i, j))
            {
                if (Differ(i, j) == 0)
                    right.Add((spoken[i], heard[j]));
                (i, j) = (i + 1, j + 1);
            }
            else if (costs[i, j] == 1 + costs[i + 1, j])
                i++;
            else
                j++;
        }

        return (costs[0, 0], right);

        int Differ(int i, int j) => spoken[i].Text == heard[j].Text ? 0 : 1;
    }

    private readonly record struct Word(string Text, double At)
    {
        public override string ToString() => $"{Text}@{At:0.00}";
    }
}
