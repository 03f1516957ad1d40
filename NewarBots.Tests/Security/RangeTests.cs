using System.Net;
using NewarBots.Contract;
using NewarBots.Tests.Bots;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Security;

/// <summary>Unreasonable range requests must not cost more than the whole file.</summary>
public sealed class RangeTests(QueueingManager queueing) : IClassFixture<QueueingManager>
{
    private ManagerProcess Manager => queueing.Manager;

    [Fact]
    public async Task Many_overlapping_inverted_and_huge_ranges_cost_no_more_than_the_whole_file()
    {
        var id = await Manager.RecordAsync("https://meet.google.com/ran-gess-abc", userId: "ada");
        var folder = new StorageLayout(Manager.Storage).SessionFolder(UserId.Parse("ada"), SessionId.Parse(id));
        Directory.CreateDirectory(folder);
        using (var session = new RecordedSession())
        {
            session.Bot = session.Bot with { Id = SessionId.Parse(id) };
            session.Write(await OpusPackets.OfToneAsync(1200));
            foreach (var chunk in Directory.GetFiles(session.Folder))
                File.Copy(chunk, Path.Combine(folder, Path.GetFileName(chunk)));
        }

        var whole = (await Manager.Api.GetByteArrayAsync(new Uri($"/bots/{id}/recording?chunks=2", UriKind.Relative))).Length;
        (string Range, HttpStatusCode Expected)[] attempts =
        [
            ($"bytes={string.Join(',', Enumerable.Range(0, 1300).Select(start => $"{start}-"))}", HttpStatusCode.OK),
            ($"bytes={string.Join(',', Enumerable.Repeat("0-0", 2000))}", HttpStatusCode.OK),
            ("bytes=0-,0-,0-,0-,0-,-1", HttpStatusCode.OK),
            ("bytes=100-1", HttpStatusCode.OK),
            ("bytes=-", HttpStatusCode.OK),
            ("bytes=a-b", HttpStatusCode.OK),
            ("bytes=9223372036854775807-", HttpStatusCode.RequestedRangeNotSatisfiable),
            ("bytes=99999999999999999999-", HttpStatusCode.OK),
            ("bytes=-0", HttpStatusCode.RequestedRangeNotSatisfiable),
            ("bytes=0-9223372036854775807", HttpStatusCode.PartialContent),
            ("bytes=-9223372036854775807", HttpStatusCode.PartialContent),
        ];
        foreach (var (range, expected) in attempts)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"/bots/{id}/recording?chunks=2");
            request.Headers.TryAddWithoutValidation("Range", range);
            using var response = await Manager.Api.SendAsync(request);

            Assert.True(response.StatusCode == expected, $"{range[..Math.Min(range.Length, 60)]} gave {response}");
            Assert.InRange((await response.Content.ReadAsByteArrayAsync()).Length, 0, whole);
            if (expected is HttpStatusCode.RequestedRangeNotSatisfiable)
                Assert.Contains("range-not-satisfiable", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }
    }
}
