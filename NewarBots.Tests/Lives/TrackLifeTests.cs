using System.Net;
using System.Text.Json.Nodes;
using NewarBots.Contract;
using NewarBots.Manager.Rehearsal;
using NewarBots.Tests.Fixtures;
using NewarBots.Tests.Rehearsal;

namespace NewarBots.Tests.Lives;

/// <summary>Speaker segments and track files, from the setting to the API.</summary>
[Trait(LifeTests.Group, CallTests.Name)]
public sealed class TrackLifeTests(RedisServer redis) : IClassFixture<RedisServer>
{
    /// <summary>Tolerance of speaker segments, in seconds.</summary>
    private const double Tolerance = 1;

    [Fact]
    [Trait("Suite", "Long")]
    public async Task Three_speakers_yield_three_aligned_track_files_and_their_segments_in_the_manifest()
    {
        const string Query = "participants=3&turns=3&joinLate=2:5&duration=24";
        await using var manager = await ManagerProcess.StartAsync(redis.Configuration, ("Recording__TrackFiles", "true"));
        var id = await manager.RecordAsync(manager.Rehearsal(Query));
        var bot = await manager.UntilAsync(id, TimeSpan.FromMinutes(3), "completed");
        var manifest = (await manager.GetAsync($"/bots/{id}/manifest")).Body!;
        var account = $"{bot}\n{manifest}";

        var participants = RehearsalQuery.Read(Query.Split('&').Select(part => part.Split('=')).Select(pair => KeyValuePair.Create(pair[0], pair[1]))).Scenario!.Participants;
        var mix = await AudioAsync(manager, $"/bots/{id}/recording");
        var stalls = BusyMachine.AssertOnlyStallsAreMissing(manager.Storage, bot);
        var clock = TimeCodeReport.Of(mix, participants, LiveAudio.Stretch, LiveAudio.Stretch).Besides(stalls);
        Assert.True(clock.IsIntact, $"{clock}\n{account}");

        Assert.Equal(participants.Select(one => one.Name).Order(), manifest["speakers"]!.AsArray().Select(speaker => (string?)speaker!["name"]).Order());
        Assert.Equal([1, 2, 3], manifest["tracks"]!.AsArray().Select(track => (int)track!["track"]!));
        foreach (var (participant, index) in participants.Select((participant, index) => (participant, index)))
        {
            SpeaksInTurn(Speaker(manifest, participant), participant, clock, stalls, account);
            var track = manifest["tracks"]!.AsArray().Single(track => (string?)track!["name"] == participant.Name)!;
            Assert.Equal($"track:{track["track"]}", (string?)Speaker(manifest, participant)["source"]);
            var alone = await AudioAsync(manager, $"/bots/{id}/recording?track={track["track"]}");
            Assert.Equal(alone.Length / (double)AudioFile.SampleRate, (double)track["durationSeconds"]!, tolerance: 0.001);

            var start = (double)track["startSeconds"]!;
            var own = TimeCodeReport.Of(alone, [participant], LiveAudio.Stretch, LiveAudio.Stretch)
                .Besides(stalls.Select(gap => new Gap(gap.StartSeconds - start, gap.EndSeconds - start, gap.Cause)));
            Assert.True(own.IsIntact, $"{own}\n{account}");
            Assert.InRange(start + own.Offset, clock.Offset - 0.15, clock.Offset + 0.15);
            Assert.All(
                participants.Where(other => other != participant),
                other => Assert.True(TimeCodeReader.Read(alone, other.Voice).Sum(tone => tone.Length) < AudioFile.SampleRate / 5, $"{index}\n{account}"));
        }

        // The track of a late participant does not start with silence.
        Assert.InRange((double)manifest["tracks"]![2]!["startSeconds"]!, clock.Offset + 3.5, clock.Offset + 12);

        var (status, problem) = await manager.GetAsync($"/bots/{id}/recording?track=4");
        Assert.Equal((HttpStatusCode.NotFound, "urn:newarbots:problem:no-track"), (status, (string?)problem!["type"]));
        Assert.Equal("Existing tracks: 1, 2, 3.", (string?)problem["detail"]);
        Assert.Equal(HttpStatusCode.BadRequest, (await manager.GetAsync($"/bots/{id}/recording?track=../1")).Status);
        (await manager.Api.DeleteAsync(new Uri($"/bots/{id}", UriKind.Relative))).EnsureSuccessStatusCode();
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(manager.Storage, "recordings"), $"{id}*", SearchOption.AllDirectories));
    }

    [Fact]
    [Trait("Suite", "Long")]
    public async Task A_killed_recorder_leaves_its_track_files_too_with_new_ones_for_recreated_connections()
    {
        await using var manager = await ManagerProcess.StartAsync(redis.Configuration, ("Recording__TrackFiles", "true"));
        var id = await manager.RecordAsync(manager.Rehearsal("participants=2&recreateAt=5&duration=600"));
        await Eventually.TrueAsync(
            async () => (double?)(await manager.GetAsync($"/bots/{id}")).Body!["recordedSeconds"] >= 12, TimeSpan.FromMinutes(3));
        await DockerCli.RunAsync("kill", $"newar-bot-{id}");
        var bot = await manager.UntilAsync(id, TimeSpan.FromMinutes(2), "completed");
        var manifest = (await manager.GetAsync($"/bots/{id}/manifest")).Body!;

        Assert.Equal("recorder_crashed", (string?)bot["reason"]);
        var end = (double)manifest["durationSeconds"]!;
        Assert.Equal([1, 2, 3, 4], manifest["tracks"]!.AsArray().Select(track => (int)track!["track"]!));
        foreach (var track in manifest["tracks"]!.AsArray())
        {
            var (begins, ends) = ((double)track!["startSeconds"]!, (double)track["startSeconds"]! + (double)track["durationSeconds"]!);
            if ((int)track["track"]! <= 2)
                Assert.InRange(ends, 2, end - 2);
            else
                Assert.True(begins >= 1 && begins <= end - 2 && Math.Abs(ends - end) <= 2, $"{manifest}");
            Assert.NotEmpty(await AudioAsync(manager, $"/bots/{id}/recording?track={track["track"]}"));
        }

        Assert.False(Directory.Exists(Path.Combine(manager.Storage, "recordings", "temp", "user_anna", id)));
    }

    private static JsonNode Speaker(JsonNode manifest, RehearsalParticipant participant) =>
        manifest["speakers"]!.AsArray().Single(speaker => (string?)speaker!["name"] == participant.Name)!;

    private static void SpeaksInTurn(
        JsonNode speaker, RehearsalParticipant participant, TimeCodeReport clock, IReadOnlyList<Gap> stalls, string account)
    {
        var turns = Enumerable.Range(0, (int)clock.Range.Last + 1)
            .Where(second => second >= participant.JoinsAt && participant.Speaks!.Any(turn => turn.From <= second % participant.SpeaksEvery && second % participant.SpeaksEvery < turn.To))
            .ToList();
        var expected = turns.Where(second => !turns.Contains(second - 1)).Zip(turns.Where(second => !turns.Contains(second + 1)), (from, to) => (From: from, To: to + 1)).ToList();
        var segments = new List<(double From, double To)>();
        foreach (var (from, to) in speaker["segments"]!.AsArray().Select(segment => ((double)segment!["startSeconds"]!, (double)segment["endSeconds"]!)))
        {
            // A stall splits a segment.
            if (segments is [.., var last] && stalls.Any(gap => IsAround(gap, last.To) && IsAround(gap, from)))
                segments[^1] = (last.From, to);
            else
                segments.Add((from, to));
        }

        Assert.True(
            segments.Count == expected.Count && segments.Zip(expected).All(pair =>
                IsNear(pair.First.From, clock.Offset + pair.Second.From) && IsNear(pair.First.To, clock.Offset + pair.Second.To)),
            $"{string.Join(' ', segments)} instead of {string.Join(' ', expected)} with the clock at {clock.Offset}\n{account}");

        bool IsNear(double at, double expectedAt) =>
            Math.Abs(at - expectedAt) <= Tolerance || stalls.Any(gap => IsAround(gap, at) && IsAround(gap, expectedAt));

        bool IsAround(Gap gap, double at) => gap.StartSeconds - Tolerance <= at && at <= gap.EndSeconds + Tolerance;
    }

    private static async Task<float[]> AudioAsync(ManagerProcess manager, string path)
    {
        var file = Path.Combine(manager.Storage, $"{Path.GetRandomFileName()}.ogg");
        await File.WriteAllBytesAsync(file, await manager.Api.GetByteArrayAsync(new Uri(path, UriKind.Relative)));
        return await AudioFile.DecodeAsync(file);
    }
}
