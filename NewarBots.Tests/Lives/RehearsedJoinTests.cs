using System.Text;
using System.Text.Json.Nodes;
using NewarBots.Contract;
using NewarBots.Manager.Rehearsal;

namespace NewarBots.Tests.Lives;

/// <summary>Rehearsals that test joining and leaving but no audio: the recorder decides from the page as the rehearsal promises.</summary>
[Collection(AloneOnTheMachine.Name)]
[TestCaseOrderer(typeof(RehearsalOrder))]
[Trait("Suite", "Long")]
public sealed class RehearsedJoinTests(RehearsedRecorders recorders) : IClassFixture<RehearsedRecorders>
{
    public static TheoryData<string> RefusingScenarios { get; } =
        [.. NamedScenario.All.Where(scenario => scenario.Status is BotStatus.Failed).Select(scenario => $"scenario={scenario.Name}")];

    [Theory]
    [MemberData(nameof(RefusingScenarios))]
    public async Task A_meeting_that_cannot_be_joined_is_given_up_with_evidence(string query)
    {
        var scenario = NamedScenario.All.Single(one => query == $"scenario={one.Name}");
        var recorder = await recorders.InAsync(query);

        Assert.True(recorder.Reason == scenario.Reason, $"{recorder}");
        Assert.Equal(RecorderExitCode.Ended, recorder.ExitCode);
        Assert.DoesNotContain(recorder.Statuses(), status => status.Status is BotStatus.Recording);
        Assert.Empty(recorder.Chunks());
        AssertEvidence(recorder.Evidence(), scenario);
    }

    [Theory]
    [InlineData("joinButton=Ask to join anyway&waitingText=someoneLetsYouIn&admitAfter=3&apostrophe=typographic&duration=8", "meeting_ended")]
    [InlineData("joinButton=Join the call now&waitingText=hostBringsYou&admitAfter=3&duration=8", "meeting_ended")]
    [InlineData("joinButton=Join anyway&waitingText=hostAdmitsYou&admitAfter=3&toggles=button&duration=8", "meeting_ended")]
    [InlineData("joinButton=Join here too&waitingText=forTheHost&admitAfter=3&duration=8", "meeting_ended")]
    [InlineData("joinButton=Join anyway&notice=gemini&duration=8&endedText=call", "meeting_ended")]
    [InlineData("joinButton=Switch here&duration=8", "join_failed")]
    [InlineData("opens=invalidName", "meeting_not_found")]
    [InlineData("opens=expired", "meeting_not_found")]
    [InlineData("opens=noSuchCode&apostrophe=typographic", "meeting_not_found")]
    [InlineData("opens=connectionProblem", "blocked_by_platform")]
    [InlineData("opens=notAllowed", "blocked_by_platform")]
    [InlineData("opens=cannotRejoin", "removed_by_host")]
    [InlineData("duration=8&endedText=meeting", "meeting_ended")]
    [InlineData("duration=8&endedText=yourCall", "meeting_ended")]
    [InlineData("duration=12&structure=requested&gate=recording&dialogKind=native", "meeting_ended")]
    [InlineData("duration=12&gate=share&dialogKind=corner&asks=share:4", "meeting_ended")]
    [InlineData("duration=14&asks=unknown:4&dialogKind=unmarked", "meeting_ended")]
    [InlineData("duration=14&notice=gemini&dialogKind=native", "meeting_ended")]
    [InlineData("german=true&signedIn=true&participants=0", "join_failed")]
    [InlineData("denyAfter=2&deniedText=youLeft", "denied_by_host")]
    [InlineData("denyAfter=2&deniedText=askAgain", "denied_by_host")]
    public async Task Alternative_wordings_of_a_page_are_recognised(string query, string reason)
    {
        var recorder = await recorders.InAsync(query);

        Assert.True(recorder.Reason is { } ended && WireWord.Of(ended) == reason, $"{recorder}");
        Assert.Equal(reason == "meeting_ended", recorder.Chunks().Any());
    }

    /// <summary>Names of scenarios whose page misleads recorders.</summary>
    internal static string[] Misleading { get; } =
    [
        "gate-over-the-door", "share-gate", "unknown-waiting-room", "black-page", "still-there", "unknown-question", "share-question", "other-room",
        "other-structure", "miscounted", "stale-count", "recorder-presents", "removed-in-other-words", "removed-without-words", "nobody-comes",
    ];

    public static TheoryData<string> MisleadingScenarios { get; } = [.. Misleading.Select(name => $"scenario={name}")];

    [Theory]
    [MemberData(nameof(MisleadingScenarios))]
    public async Task A_misleading_page_is_seen_through(string query)
    {
        var scenario = NamedScenario.All.Single(one => query == $"scenario={one.Name}");
        var recorder = await recorders.InAsync(query);

        Assert.True(recorder.Reason == scenario.Reason, $"{recorder}");
        Assert.Equal(RecorderExitCode.Ended, recorder.ExitCode);
        // The bot records the call only, which is as long as the scenario says. The meeting's clock starts when the bot is admitted.
        var rehearsal = RehearsalQuery.Read(scenario.Parameters).Scenario!;
        var report = LiveAudio.Report(await recorder.AudioAsync(), rehearsal);
        var end = rehearsal.Call.EndAfter ?? rehearsal.Call.KickAfter;
        Assert.True(report.SecondsHeard == 0 || report.Offset < 1, $"{report}\n{recorder}");
        Assert.True(recorder.Statuses()[^1].RecordedSeconds is { } seconds && (end is null || (seconds > end / 2 && seconds < end + 15)), $"{recorder}");
        AssertVoicesAreRecorded(recorder, rehearsal.Participants);
        switch (scenario.Name)
        {
            case "unknown-question":
                Assert.Contains("1_unknown_dialog/screenshot.png", recorder.Evidence().Keys);
                Assert.Contains("A quick check", Encoding.UTF8.GetString(recorder.Evidence()["1_unknown_dialog/looks.txt"]), StringComparison.Ordinal);
                Assert.Contains("I like it here: \"A quick check", $"{recorder}", StringComparison.Ordinal);
                break;
            case "other-room":
                Assert.Single($"{recorder}".Split('\n'), line => line.Contains("click join.now", StringComparison.Ordinal));
                break;
            case "miscounted":
                Assert.True(recorder.Disagreements().Sum(one => one.EndSeconds - one.StartSeconds) > 9, string.Join(", ", recorder.Disagreements()));
                Assert.All(recorder.Disagreements(), one =>
                {
                    Assert.Equal(1, one.Participants);
                    Assert.InRange(one.StartSeconds, rehearsal.Call.MiscountAt!.Value + report.Offset - 1, one.EndSeconds);
                });
                break;
            default:
                Assert.Empty(recorder.Disagreements());
                break;
        }
    }

    /// <summary>Proves that a bot which is not removed in such a call has its microphone off.</summary>
    [Theory]
    [InlineData("togglesAfter=30&mutedOnly=true&duration=8", "removed_by_host")]
    public async Task A_guest_whose_microphone_cannot_be_turned_off_is_removed_from_a_muted_call(string query, string reason)
    {
        var recorder = await recorders.InAsync(query);

        Assert.True(recorder.Reason is { } ended && WireWord.Of(ended) == reason, $"{recorder}");
    }

    /// <summary>At least half of what was spoken: six recorders share a browser, which may stall.</summary>
    private static void AssertVoicesAreRecorded(EndedRecorder recorder, IReadOnlyList<RehearsalParticipant> participants)
    {
        var last = recorder.Statuses()[^1];
        var spoken = participants.Any(participant => participant.Speaks is null)
            ? last.RecordedSeconds!.Value
            : participants.SelectMany(participant => participant.Speaks!).Select(time => time.To).DefaultIfEmpty(0).Max();
        Assert.True(last.AudibleSeconds >= spoken / 2, $"{recorder}");
    }

    private static void AssertEvidence(IReadOnlyDictionary<string, byte[]> evidence, NamedScenario scenario)
    {
        var folder = $"1_{WireWord.Of(scenario.Reason)}";
        string[] expected = scenario.Name switch
        {
            // There is no page, or it is replaced too soon for a screenshot.
            "never-loads" => [],
            "reloads" => ["looks.txt"],
            "redirects" => ["console.txt", "screenshot.png", "page.html"],
            "alerts" => ["console.txt", "looks.txt", "screenshot.png", "page.html"],
            _ => ["looks.txt", "screenshot.png", "page.html"],
        };
        if (scenario.Reason.IsOrdinary())
        {
            Assert.Empty(evidence);
            return;
        }

        Assert.Superset(new HashSet<string>([$"{folder}/summary.json", .. expected.Select(file => $"{folder}/{file}")]), evidence.Keys.ToHashSet());
        Assert.Equal(WireWord.Of(scenario.Reason), (string?)JsonNode.Parse(evidence[$"{folder}/summary.json"])!["reason"]);
        if (scenario.Name == "alerts")
            Assert.Contains("dialog dismissed: alert", Encoding.UTF8.GetString(evidence[$"{folder}/console.txt"]), StringComparison.Ordinal);
    }
}
