using System.Text.Json.Nodes;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Rehearsal;
using NewarBots.Tests.Rehearsal;

namespace NewarBots.Tests.Lives;

/// <summary>Every scenario that the rehearsal offers, in the real container: it ends as its page promises, and the time code is whole.</summary>
[Collection(AloneOnTheMachine.Name)]
[TestCaseOrderer(typeof(RehearsalOrder))]
public sealed class ScenarioTests(RehearsedBots bots) : IClassFixture<RehearsedBots>
{
    private static readonly string[] Telling = ["dialogs", "transcription-notice", "connection-recreated", "three-streams", "reload"];

    public static TheoryData<string> TellingScenarios { get; } = [.. Telling.Select(name => $"scenario={name}")];

    public static TheoryData<string> OtherScenarios { get; } =
        [.. NamedScenario.All.Select(scenario => scenario.Name).Except(Telling).Select(name => $"scenario={name}")];

    [Theory]
    [MemberData(nameof(TellingScenarios))]
    public Task A_rehearsal_ends_as_its_page_says(string query) => EndsAsItsPageSaysAsync(query);

    [Theory]
    [MemberData(nameof(OtherScenarios))]
    [Trait("Suite", "Long")]
    public Task Every_rehearsal_ends_as_its_page_says(string query) => EndsAsItsPageSaysAsync(query);

    [Theory]
    [Trait("Suite", "Long")]
    [InlineData("joinButton=Ask to join anyway&waitingText=someoneLetsYouIn&admitAfter=3&apostrophe=typographic&duration=8", "meeting_ended")]
    [InlineData("joinButton=Join the call now&waitingText=hostBringsYou&admitAfter=3&duration=8", "meeting_ended")]
    [InlineData("joinButton=Join anyway&waitingText=hostAdmitsYou&admitAfter=3&toggles=button&duration=8", "meeting_ended")]
    [InlineData("joinButton=Join here too&waitingText=forTheHost&admitAfter=3&duration=8", "meeting_ended")]
    [InlineData("joinButton=Switch here&notice=gemini&duration=8&endedText=call", "meeting_ended")]
    [InlineData("opens=invalidName", "meeting_not_found")]
    [InlineData("opens=expired", "meeting_not_found")]
    [InlineData("opens=noSuchCode&apostrophe=typographic", "meeting_not_found")]
    [InlineData("opens=connectionProblem", "blocked_by_platform")]
    [InlineData("denyAfter=2&deniedText=youLeft", "denied_by_host")]
    [InlineData("denyAfter=2&deniedText=askAgain", "denied_by_host")]
    public async Task A_page_may_say_it_in_other_words(string query, string reason)
    {
        var bot = await bots.InAsync(query);

        Assert.True(reason == (string?)bot.Bot["reason"], $"{bot}");
        Assert.Equal(reason == "meeting_ended", bot.Bot["recording"] is not null);
    }

    /// <summary>So that a bot which is not removed there has its microphone off.</summary>
    [Theory]
    [Trait("Suite", "Long")]
    [InlineData("togglesAfter=30&mutedOnly=true&duration=8", "removed_by_host")]
    public async Task A_guest_whose_microphone_cannot_be_turned_off_is_removed_where_all_are_muted(string query, string reason)
    {
        var bot = await bots.InAsync(query);

        Assert.True(reason == (string?)bot.Bot["reason"], $"{bot}");
    }

    [Theory]
    [Trait("Suite", "Long")]
    [InlineData("scenario=silence-first")]
    public async Task A_minute_of_silence_is_kept_as_silence_and_the_first_word_is_in_its_place(string query)
    {
        const int FirstWord = 60;
        var bot = await bots.InAsync(query);
        var path = await bot.DownloadAsync();
        var report = await LiveAudio.ReportAsync(path, bot.Scenario);
        var manifest = await bot.ManifestAsync();

        Assert.True(report.IsClean, $"{report}\n{bot}");
        Assert.Equal(FirstWord, report.Range.First);
        // The meeting's clock begins when the bot is let in, which it notices shortly after.
        Assert.InRange(report.Offset, -4, 0.5);
        var samples = await AudioFile.DecodeAsync(path);
        var silence = samples[..(int)((report.Offset + FirstWord - 0.3) * AudioFile.SampleRate)];
        Assert.InRange(silence.Max(Math.Abs), 0, 0.001);
        Assert.InRange((double)manifest["audibleSeconds"]!, 9, 11);
        Assert.All(
            manifest["speakers"]!.AsArray(),
            speaker => Assert.InRange((double)speaker!["segments"]![0]!["startSeconds"]! - report.Offset, FirstWord - 0.5, FirstWord + 0.5));
        Assert.Equal(3, manifest["speakers"]!.AsArray().Count);
        Assert.DoesNotMatch("(?i)no_?audio|not heard", bot.Log);
    }

    private async Task EndsAsItsPageSaysAsync(string query)
    {
        var promised = NamedScenario.All.Single(one => query == $"scenario={one.Name}");
        var bot = await bots.InAsync(query);

        Assert.True(
            (WireWord.Of(promised.Status), WireWord.Of(promised.Reason)) == ((string?)bot.Bot["status"], (string?)bot.Bot["reason"]), $"{bot}");
        Assert.Equal(promised.Status is BotStatus.Completed, bot.Bot["recording"] is not null);
        if (promised.Name == "seen-differently")
            Assert.Contains("dialog.got_it", bot.Log, StringComparison.Ordinal);
        if (promised.Status is BotStatus.Completed)
            await TheRecordingIsWholeAsync(bot);
        else
            await TheEvidenceTellsWhyAsync(bot, promised);
    }

    private static async Task TheEvidenceTellsWhyAsync(RehearsedBot bot, NamedScenario promised)
    {
        var folder = $"1_{WireWord.Of(promised.Reason)}";
        using var evidence = await bot.EvidenceAsync();
        string[] seen = promised.Name switch
        {
            // There is no page, or none that stays long enough for a picture.
            "never-loads" => [],
            "reloads" => ["looks.txt"],
            "redirects" => ["console.txt", "screenshot.png", "page.html"],
            "alerts" => ["console.txt", "looks.txt", "screenshot.png", "page.html"],
            _ => ["looks.txt", "screenshot.png", "page.html"],
        };
        Assert.Superset(
            new HashSet<string>(["bot.json", "recorder.log", $"{folder}/summary.json", .. seen.Select(file => $"{folder}/{file}")]),
            evidence.Entries.Select(entry => entry.FullName).ToHashSet());
        using var summary = new StreamReader(evidence.GetEntry($"{folder}/summary.json")!.Open());
        Assert.Equal(WireWord.Of(promised.Reason), (string?)JsonNode.Parse(await summary.ReadToEndAsync())!["reason"]);
        if (promised.Name == "alerts")
        {
            using var console = new StreamReader(evidence.GetEntry($"{folder}/console.txt")!.Open());
            Assert.Contains("dialog dismissed: alert", await console.ReadToEndAsync(), StringComparison.Ordinal);
        }
    }

    private static async Task TheRecordingIsWholeAsync(RehearsedBot bot)
    {
        var gaps = (await bot.ManifestAsync())["gaps"]!.AsArray();
        var (call, audio) = (bot.Scenario.Call, bot.Scenario.Audio);
        var mayHappen = new List<string> { "capture_stalled" };
        if (call.CrashAt is not null || call.ReloadAt is not null)
            mayHappen.Add("browser_restarted");
        if (audio.Deaf is not Deafness.Never)
            mayHappen.Add("not_heard");
        if (call.ReloadAt is not null || audio.Deaf is not Deafness.Never)
            mayHappen.Add("capture_restarted");
        Assert.True(gaps.All(gap => mayHappen.Contains((string)gap!["cause"]!)), $"{gaps}\n{bot}");
        Assert.Equal(gaps.Count == 0, (bool)bot.Bot["recording"]!["complete"]!);
        if (call.CrashAt is not null)
            Assert.Contains(gaps, gap => (string?)gap!["cause"] == "browser_restarted");

        if (audio.Deaf is Deafness.Always)
            Assert.Matches("(?i)no_?audio", bot.Log);
        else if (bot.Scenario.Participants.Count > 0)
            await TheTimeCodeIsWholeAsync(bot, gaps);
    }

    private static async Task TheTimeCodeIsWholeAsync(RehearsedBot bot, JsonArray gaps)
    {
        var report = await LiveAudio.ReportAsync(await bot.DownloadAsync(), bot.Scenario);
        (double From, double To)[] excused =
        [
            .. Interruptions(bot.Scenario),
            .. gaps.Select(gap => ((double)gap!["startSeconds"]! - report.Offset - 1, (double)gap["endSeconds"]! - report.Offset + 1)),
        ];
        var faults = report.Faults.Where(fault => !excused.Any(span => fault.Second + 1 > span.From && fault.Second < span.To)).ToList();
        Assert.True(faults.Count == 0, $"{string.Join('\n', faults)}\n{report}\n{gaps}\n{bot}");

        // From its first word to its last one.
        var end = bot.Scenario.Call.EndAfter ?? bot.Scenario.Call.KickAfter ?? double.PositiveInfinity;
        var spoken = Spoken(bot.Scenario.Participants, Math.Min(end, 600));
        var begin = Math.Max(spoken.First, bot.Scenario.Audio.Deaf is Deafness.Once ? excused[0].To : 0);
        Assert.True(bot.Scenario.Call.Epoch is not null || report.Range.First <= begin + 2, $"{report}\n{bot}");
        Assert.True(double.IsInfinity(end) || report.Range.Last >= spoken.Last - 2, $"{report}\n{bot}");
    }

    /// <summary>In which seconds of the meeting its own page keeps voices from being heard, and shortly after.</summary>
    private static IEnumerable<(double From, double To)> Interruptions(RehearsalScenario scenario)
    {
        const double Recovery = 2;
        if (scenario.Audio.Deaf is Deafness.Once)
            yield return (0, 42);
        MeetingSpan?[] spans = [scenario.Call.Reconnects, scenario.Audio.Mutes];
        foreach (var span in spans.OfType<MeetingSpan>())
            yield return (span.From, span.To + Recovery);
        double?[] moments = [scenario.Audio.RecreateAt, scenario.Audio.RenegotiateAt, scenario.Audio.ReplaceAt];
        foreach (var moment in moments.OfType<double>())
            yield return (moment, moment + Recovery);
    }

    private static (long First, long Last) Spoken(IReadOnlyList<RehearsalParticipant> participants, double end)
    {
        var seconds = Enumerable.Range(0, (int)end).Where(second => participants.Any(participant => Speaks(participant, second))).ToList();
        return (seconds[0], seconds[^1]);
    }

    private static bool Speaks(RehearsalParticipant participant, int second)
    {
        var place = participant.SpeaksEvery is { } every ? second % every : second;
        return second >= participant.JoinsAt && !(second >= participant.LeavesAt)
            && participant.Speaks?.Any(time => time.From <= place && place < time.To) is not false;
    }
}
