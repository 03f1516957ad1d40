using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Lives;

/// <summary>Participants, speakers and screenshots, from the meeting's page to the API.</summary>
[Trait(LifeTests.Group, CallTests.Name)]
public sealed class PeopleLifeTests(RecordingHost host) : IClassFixture<RecordingHost>
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(3);

    [Fact]
    public async Task Participants_and_speakers_are_told_live_and_the_bot_can_be_seen()
    {
        var manager = host.Manager;
        var id = await manager.RecordAsync(manager.Rehearsal("participants=3&turns=4&joinLate=2:6&leave=1:16&duration=40"));
        using var stream = await manager.Api.GetStreamAsync(new Uri($"/bots/{id}/events", UriKind.Relative), TestContext.Current.CancellationToken);
        var reading = ReadTypesAsync(stream);
        await manager.UntilAsync(id, Timeout, "recording");

        using (var screenshot = await manager.Api.GetAsync(new Uri($"/bots/{id}/screenshot", UriKind.Relative), TestContext.Current.CancellationToken))
        {
            Assert.Equal((HttpStatusCode.OK, new MediaTypeHeaderValue("image/jpeg")), (screenshot.StatusCode, screenshot.Content.Headers.ContentType));
            Assert.Equal("nosniff", screenshot.Headers.GetValues("X-Content-Type-Options").Single());
            Assert.Equal([0xff, 0xd8, 0xff], (await screenshot.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken))[..3]);
        }

        JsonArray People(JsonNode body) => body["items"]!.AsArray();
        await Eventually.TrueAsync(async () => People((await manager.GetAsync($"/bots/{id}/participants")).Body!).Any(person => (bool)person!["isSpeaking"]!), Timeout);
        var bot = await manager.UntilAsync(id, Timeout, "completed");

        var people = People((await manager.GetAsync($"/bots/{id}/participants")).Body!);
        var account = $"{bot}\n{people}";
        Assert.True(people.Count == 3, account);
        Assert.All(people, person => Assert.True(person!["joinedAt"] is not null && person["isSpeaking"]!.GetValue<bool>() is false, account));
        var gone = Assert.Single(people, person => person!["leftAt"] is not null)!;
        Assert.True(gone["leftAt"]!.GetValue<DateTimeOffset>() > gone["joinedAt"]!.GetValue<DateTimeOffset>().AddSeconds(5), account);
        Assert.True(people.Max(person => person!["joinedAt"]!.GetValue<DateTimeOffset>()) > people.Min(person => person!["joinedAt"]!.GetValue<DateTimeOffset>()).AddSeconds(2), account);

        var types = await reading;
        Assert.Equal(3, types.Count(type => type == "participant.joined"));
        Assert.Single(types, type => type == "participant.left");
        Assert.True(types.Count(type => type == "speaker.started") >= 3, string.Join(' ', types));
        Assert.True(types.Contains("speaker.stopped"), string.Join(' ', types));
        Assert.Equal("end", types[^1]);

        var (status, problem) = await manager.GetAsync($"/bots/{id}/screenshot");
        Assert.Equal((HttpStatusCode.Conflict, "urn:newarbots:problem:no-page"), (status, (string?)problem!["type"]));
    }

    private static async Task<List<string>> ReadTypesAsync(Stream stream)
    {
        var types = new List<string>();
        using var lines = new StreamReader(stream);
        while (await lines.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
        {
            if (line.StartsWith("event: ", StringComparison.Ordinal))
                types.Add(line["event: ".Length..]);
        }

        return types;
    }
}
