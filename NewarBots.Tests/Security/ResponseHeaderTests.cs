using NewarBots.Tests.Bots;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Security;

public sealed class ResponseHeaderTests(QueueingManager queueing) : IClassFixture<QueueingManager>
{
    private ManagerProcess Manager => queueing.Manager;

    [Fact]
    public async Task Every_response_forbids_foreign_scripts_framing_and_shared_caches()
    {
        var id = await Manager.RecordAsync("https://meet.google.com/hea-ders-xyz");
        var document = (await Manager.GetAsync("/openapi/v1.json")).Body!;
        string[] paths =
        [
            .. document["paths"]!.AsObject().Select(path => path.Key.Replace("{id}", id, StringComparison.Ordinal)),
            "/", "/page/page.js", "/page/scenarios", $"/page/bots/{id}/waveform", $"/page/bots/{id}/pictures", "/rehearsal/", "/rehearsal/abc-defg-hij",
            "/rehearsal/assets/meeting.js", "/openapi/v1.json", "/scalar/", "/scalar/scalar.js", "/health", "/alive", "/nowhere", "/bots/NO", "/bots?limit=x",
        ];
        foreach (var path in paths)
        {
            using var response = await Manager.Api.GetAsync(new Uri(path, UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);

            Assert.Equal("nosniff", Only("X-Content-Type-Options"));
            Assert.Equal("no-referrer", Only("Referrer-Policy"));
            Assert.Equal("same-origin", Only("Cross-Origin-Resource-Policy"));
            Assert.Contains("frame-ancestors 'none'", Only("Content-Security-Policy"), StringComparison.Ordinal);
            Assert.Contains("default-src 'none'", Only("Content-Security-Policy"), StringComparison.Ordinal);
            Assert.True(response.Headers.CacheControl is { Private: true } or { NoCache: true } or { NoStore: true }, $"{path}: {response}");
            foreach (var name in (string[])["Server", "X-Powered-By", "Access-Control-Allow-Origin"])
                Assert.False(response.Headers.Contains(name), $"{path}: {response}");

            string Only(string name) => response.Headers.TryGetValues(name, out var values) ? Assert.Single(values) : $"{path} has no {name}: {response}";
        }
    }
}
