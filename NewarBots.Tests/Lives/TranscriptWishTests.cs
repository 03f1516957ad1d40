using System.Net;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Lives;

/// <summary>The member <c>transcript</c> of a request, from the request to the speech server.</summary>
[Trait(LifeTests.Group, LifeTests.Name)]
public sealed class TranscriptWishTests
{
    [Fact]
    public async Task Request_decides_whether_and_in_which_language_its_recording_is_transcribed()
    {
        await using var server = new SpeechServerStub();
        await server.StartAsync();
        await using var host = await LightHost.StartAsync(("Transcription__Endpoint", server.Url), ("Transcription__Language", "de"));
        var unwanted = await RecordAsync(host, """{"enabled": false}""");
        var french = await RecordAsync(host, """{"language": "fr-CA"}""");
        var usual = await RecordAsync(host, "null");

        await Eventually.TrueAsync(async () => await StatusAsync(host, french) == "completed" && await StatusAsync(host, usual) == "completed");

        Assert.Null(await StatusAsync(host, unwanted));
        Assert.Equal(["de", "fr"], server.Requests.Select(request => request.Fields["language"]).Distinct().Order(StringComparer.Ordinal));
        Assert.Equal("urn:newarbots:problem:no-transcript", (string?)(await host.Manager.GetAsync($"/bots/{unwanted}/transcript")).Body!["type"]);

        Assert.Equal(HttpStatusCode.Accepted, (await host.Manager.PostAsync($"/bots/{unwanted}/transcript?language=en")).Status);
        await Eventually.TrueAsync(async () => await StatusAsync(host, unwanted) == "completed");
    }

    private static async Task<string> RecordAsync(LightHost host, string transcript)
    {
        var (status, bot) = await host.Manager.PostAsync(
            "/bots", $$"""{"meetingUrl": "https://meet.google.com/abc-defg-hij", "userId": "anna", "transcript": {{transcript}} }""");
        Assert.True(status is HttpStatusCode.Accepted, $"{bot}");
        var id = (string)bot!["id"]!;
        await host.RecordedAsync(id, seconds: 3);
        await host.Manager.PostAsync($"/bots/{id}/stop");
        await host.Manager.UntilAsync(id, TimeSpan.FromSeconds(60), "completed");
        return id;
    }

    private static async Task<string?> StatusAsync(LightHost host, string id) => (string?)(await host.Manager.GetAsync($"/bots/{id}")).Body!["transcript"]?["status"];
}
