using System.Text.Json.Nodes;
using NewarBots.Contract;
using NewarBots.Manager.Recordings;
using NewarBots.Manager.Rehearsal;
using NewarBots.Tests.Rehearsal;

namespace NewarBots.Tests.Lives;

/// <summary>
/// Every rehearsal whose audio matters, in the real container: it ends as promised and its recording is complete. The others are in
/// <see cref="RehearsedJoinTests"/>.
/// </summary>
[Trait(LifeTests.Group, CallTests.Name)]
[Collection(CallTests.OfOneHost)]
[TestCaseOrderer(typeof(RehearsalOrder))]
public sealed class ScenarioTests(RehearsedBots bots) : IClassFixture<RehearsedBots>
{
    private static readonly string[] Representative = ["dialogs", "transcription-notice", "connection-recreated", "three-streams", "reload"];

    public static TheoryData<string> RepresentativeScenarios { get; } = [.. Representative.Select(name => $"scenario={name}")];

    public static TheoryData<string> OtherScenarios { get; } =
    [
        .. NamedScenario.All.Where(scenario => scenario.Status is BotStatus.Completed).Select(scenario => scenario.Name)
            .Except(Representative).Except(RehearsedJoinTests.Misleading).Except([SpokenWordsTests.Scenario]).Select(name => $"scenario={name}"),
    ];

    [Theory]
    [MemberData(nameof(RepresentativeScenarios))]
    public Task A_rehearsal_ends_as_promised_with_a_complete_recording(string query) => AssertEndsAsPromisedAsync(query);

    [Theory]
    [MemberData(nameof(OtherScenarios))]
    [Trait("Suite", "Long")]
    public Task Every_rehearsal_ends_as_promised_with_a_complete_recording(string query) => AssertEndsAsPromisedAsync(query);

    [Theory]
    [Trait("Suite", "Long")]
    [InlineData("scenario=silence-first")]
    public async Task A_minute_of_silence_is_recorded_and_the_first_word_is_at_its_position(string query)
    {
        const int FirstWord = 60;
        var bot = await bots.InAsync(query);
        var path = await bot.DownloadAsync();
        var manifest = await bot.ManifestAsync();
        var stalls = BusyMachine.AssertOnlyStallsAreMissing(bot.Manager.Storage, bot.Bot);
        var report = (await LiveAudio.ReportAsync(path, bot.Scenario)).Besides(stalls);

        Assert.True(report.IsIntact, $"{report}\n{bot}");
        Assert.Equal(FirstWord, report.Range.First);
        // The meeting's clock starts when the bot is admitted, which it notices shortly after.
        Assert.InRange(report.Offset, -4, 0.5);
        var samples = await AudioFile.DecodeAsync(path);
        var silence = samples[..(int)((report.Offset + FirstWord - 0.3) * AudioFile.SampleRate)];
        Assert.InRange(silence.Max(Math.Abs), 0, 0.001);
        Assert.InRange((double)manifest["audibleSeconds"]!, 9 - stalls.Sum(gap => gap.EndSeconds - gap.StartSeconds), 11);
        Assert.All(
            manifest["speakers"]!.AsArray(),
            speaker => Assert.InRange((double)speaker!["segments"]![0]!["startSeconds"]! - report.Offset, FirstWord - 0.5, FirstWord + 0.5));
        Assert.Equal(3, manifest["speakers"]!.AsArray().Count);
        Assert.DoesNotMatch("(?i)no_?audio|not recorded", bot.Log);
    }

    private async Task AssertEndsAsPromisedAsync(string query)
    {
        var promised = NamedScenario.All.Single(one => query == $"scenario={one.Name}");
        var bot = await bots.InAsync(query);

        Assert.True(
            (WireWord.Of(promised.Status), WireWord.Of(promised.Reason)) == ((string?)bot.Bot["status"], (string?)bot.Bot["reason"]), $"{bot}");
        Assert.NotNull(bot.Bot["recording"]);
        if (promised.Name == "seen-differently")
            Assert.Contains("dialog.got_it", bot.Log, StringComparison.Ordinal);
        await AssertRecordingIsCompleteAsync(bot);
    }

    private static async Task AssertRecordingIsCompleteAsync(RehearsedBot bot)
    {
        var gaps = (await bot.ManifestAsync())["gaps"]!.AsArray();
        var (call, audio) = (bot.Scenario.Call, bot.Scenario.Audio);
        var possible = new List<string> { "capture_stalled" };
        if (call.CrashAt is not null || call.ReloadAt is not null)
            possible.Add("browser_restarted");
        if (audio.CaptureBlocking is not CaptureBlocking.Never)
            possible.Add("not_heard");
        if (audio.RecreateAt is not null || audio.NetworkLost is not null)
            possible.Add("network_lost");
        if (call.ReloadAt is not null || audio.CaptureBlocking is not CaptureBlocking.Never)
            possible.Add("capture_restarted");
        Assert.True(gaps.All(gap => possible.Contains((string)gap!["cause"]!)), $"{gaps}\n{bot}");
        var manifest = RecordingManifest.TryRead(new StorageLayout(bot.Manager.Storage).Manifest(UserId.Parse("scenarios", provider: null), SessionId.Parse(bot.Id)))!;
        var expected = Completeness.Of(manifest, endedCleanly: true);
        var recording = bot.Bot["recording"]!;
        Assert.Equal((expected.IsComplete, expected.MissingSeconds), ((bool)recording["complete"]!, (double)recording["missingSeconds"]!));
        if (call.CrashAt is not null)
            Assert.Contains(gaps, gap => (string?)gap!["cause"] == "browser_restarted");
        if (audio.NetworkLost is { } lost)
        {
            var reported = gaps.Where(gap => (string?)gap!["cause"] == "network_lost").Sum(gap => (double)gap!["endSeconds"]! - (double)gap["startSeconds"]!);
            Assert.InRange(reported, lost.To - lost.From - 2, lost.To - lost.From + 3);
        }

        if (audio.CaptureBlocking is CaptureBlocking.Always)
        {
            Assert.Matches("(?i)no_?audio", bot.Log);
            await AssertLossIsReportedAsync(bot, recording);
        }
        else if (bot.Scenario.Participants.Count > 0)
            await AssertTimeCodeIsCompleteAsync(bot, gaps);
    }

    /// <summary>A recording of silence is not a success: the bot, its last event and its manifest say how much is lost, and why.</summary>
    private static async Task AssertLossIsReportedAsync(RehearsedBot bot, JsonNode recording)
    {
        Assert.False((bool)recording["complete"]!, $"{bot}");
        Assert.True((double)recording["missingSeconds"]! > 0.9 * (double)recording["durationSeconds"]!, $"{bot}");
        Assert.Equal("no_audio", (string?)recording["warning"]!["reason"]);
        Assert.Contains(" s are missing. ", (string?)recording["warning"]!["text"], StringComparison.Ordinal);
        var events = await bot.Manager.Api.GetStringAsync(new Uri($"/bots/{bot.Id}/events", UriKind.Relative));
        var end = JsonNode.Parse(events[(events.LastIndexOf("data: ", StringComparison.Ordinal) + "data: ".Length)..])!;
        Assert.True(JsonNode.DeepEquals(recording, end["recording"]), events);
        Assert.True(JsonNode.DeepEquals(recording["warning"], (await bot.ManifestAsync())["warning"]), $"{bot}");
    }

    private static async Task AssertTimeCodeIsCompleteAsync(RehearsedBot bot, JsonArray gaps)
    {
        var report = await LiveAudio.ReportAsync(await bot.DownloadAsync(), bot.Scenario);
        (double From, double To)[] excused =
        [
            .. Interruptions(bot.Scenario),
            .. gaps.Select(gap => ((double)gap!["startSeconds"]! - report.Offset - 1, (double)gap["endSeconds"]! - report.Offset + 1)),
        ];
        Assert.True(report.Besides(excused).IsIntact, $"{report}\n{gaps}\n{bot}");

        // From the first word to the last.
        var end = bot.Scenario.Call.EndAfter ?? bot.Scenario.Call.KickAfter ?? double.PositiveInfinity;
        var spoken = Spoken(bot.Scenario.Participants, Math.Min(end, 600));
        var begin = Math.Max(spoken.First, bot.Scenario.Audio.CaptureBlocking is CaptureBlocking.Once ? excused[0].To : 0);
        Assert.True(bot.Scenario.Call.Epoch is not null || report.Range.First <= begin + 2, $"{report}\n{bot}");
        Assert.True(double.IsInfinity(end) || report.Range.Last >= spoken.Last - 2, $"{report}\n{bot}");
    }

    /// <summary>The seconds of the meeting in which the page interrupts its audio, and shortly after.</summary>
    private static IEnumerable<(double From, double To)> Interruptions(RehearsalScenario scenario)
    {
        const double Recovery = 2;
        if (scenario.Audio.CaptureBlocking is CaptureBlocking.Once)
            yield return (0, 42);
        MeetingSpan?[] spans = [scenario.Call.Reconnects, scenario.Audio.Mutes, scenario.Audio.NetworkLost];
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
