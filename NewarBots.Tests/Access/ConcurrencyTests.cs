using System.Net;
using System.Net.Sockets;
using System.Text;
using NewarBots.Contract;
using NewarBots.Tests.Bots;
using NewarBots.Tests.Fixtures;
using NewarBots.Tests.Security;

namespace NewarBots.Tests.Access;

/// <summary>Many sign-ins, streams and downloads at once, over HTTP, of a real manager.</summary>
public sealed class ConcurrencyTests(ConcurrencyTests.SmallManager small) : IClassFixture<ConcurrencyTests.SmallManager>
{
    private const int EventStreams = 3;

    /// <summary>Downloads of one caller that run at once.</summary>
    private const int Downloads = 8;
    private const int WaitingDownloads = 100;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_storm_of_sign_ins_fails_none_and_one_that_cannot_be_stored_gets_503()
    {
        var key = await KeyedManager.AddAsync(small.Keyed, "anna");
        var answers = await Task.WhenAll(Enumerable.Range(0, 150).Select(_ => KeyedManager.AskAsync(small.Keyed, key, "POST", "/session")));
        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.OK, answer.Status));

        var path = $"{KeyedManager.FileOf(small.Keyed).Path}.lock";
        await using (new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None))
        {
            var locked = await KeyedManager.AskAsync(small.Keyed, key, "POST", "/session");
            Assert.Equal((HttpStatusCode.ServiceUnavailable, "manager-busy"), (locked.Status, locked.Problem));
            Assert.True(locked.Headers.ContainsKey("Retry-After"));
        }

        Assert.Equal(HttpStatusCode.OK, (await KeyedManager.AskAsync(small.Keyed, key, "POST", "/session")).Status);
    }

    [Fact]
    public async Task One_event_stream_more_than_allowed_gets_429_and_closing_one_frees_a_place()
    {
        var open = new List<HttpResponseMessage>();
        try
        {
            for (var i = 0; i < EventStreams; i++)
                open.Add(await OpenEventsAsync());
            Assert.All(open, response => Assert.Equal(HttpStatusCode.OK, response.StatusCode));
            using (var rejected = await OpenEventsAsync())
            {
                Assert.Equal(HttpStatusCode.TooManyRequests, rejected.StatusCode);
                Assert.NotNull(rejected.Headers.RetryAfter);
                var problem = await rejected.Content.ReadAsStringAsync(Cancellation);
                Assert.Contains("urn:newarbots:problem:too-many-streams", problem, StringComparison.Ordinal);
                Assert.Contains("\"limit\":3", problem, StringComparison.Ordinal);
            }

            open[0].Dispose();

            await Eventually.TrueAsync(async () =>
            {
                using var again = await OpenEventsAsync();
                return again.StatusCode is HttpStatusCode.OK;
            });
        }
        finally
        {
            open.ForEach(response => response.Dispose());
        }

        Task<HttpResponseMessage> OpenEventsAsync() =>
            small.Manager.Api.GetAsync(new Uri("/bots/events", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, Cancellation);
    }

    [Fact]
    public async Task Downloads_beyond_the_limit_wait_those_beyond_the_queue_get_429_and_closing_one_frees_a_place()
    {
        var id = await PlacedBots.DeniedAsync(small.Host);
        // Longer than the buffers of a connection, so that a download whose client does not read stays open.
        await using (var log = File.OpenWrite(new StorageLayout(small.Manager.Storage).Log(UserId.Parse("anna"), id)))
            log.SetLength(16_000_000);
        var clients = new List<TcpClient>();
        try
        {
            for (var i = 0; i < Downloads; i++)
                Assert.Equal("200", await StatusOfAsync(await RequestAsync()));
            var statuses = new List<Task<string>>();
            for (var i = 0; i < WaitingDownloads; i++)
                statuses.Add(StatusOfAsync(await RequestAsync()));
            // Requests arrive in any order, so one of those before may be the first that is rejected.
            await Eventually.TrueAsync(async () =>
            {
                statuses.Add(StatusOfAsync(await RequestAsync()));
                return statuses.Exists(status => status.IsCompleted);
            });
            Assert.Equal("429", await await Task.WhenAny(statuses));

            clients[0].Dispose();

            // One of those that wait gets the place.
            await foreach (var status in Task.WhenEach(statuses))
            {
                if (await status == "200")
                    return;
            }

            Assert.Fail("None of the waiting downloads got the place.");
        }
        finally
        {
            clients.ForEach(client => client.Dispose());
        }

        async Task<TcpClient> RequestAsync()
        {
            var client = await RawHttp.ConnectAsync(small.Manager);
            clients.Add(client);
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"GET /bots/{id}/logs HTTP/1.1\r\nHost: localhost\r\n\r\n"), Cancellation);
            return client;
        }
    }

    [Fact]
    public async Task Slow_downloads_of_two_keys_cannot_keep_another_key_from_downloading()
    {
        var id = await PlacedBots.DeniedAsync(small.KeyedHost);
        await using (var log = File.OpenWrite(new StorageLayout(small.Keyed.Storage).Log(UserId.Parse("anna"), id)))
            log.SetLength(16_000_000);
        var clients = new List<TcpClient>();
        try
        {
            foreach (var slow in new[] { await KeyedManager.AddAsync(small.Keyed, "anna"), await KeyedManager.AddAsync(small.Keyed, "anna") })
            {
                for (var i = 0; i < Downloads; i++)
                {
                    clients.Add(await RawHttp.ConnectAsync(small.Keyed));
                    await clients[^1].GetStream().WriteAsync(Encoding.ASCII.GetBytes($"GET /bots/{id}/logs HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {slow}\r\n\r\n"), Cancellation);
                    Assert.Equal("200", await StatusOfAsync(clients[^1]));
                }
            }

            var answer = await KeyedManager.AskAsync(small.Keyed, await KeyedManager.AddAsync(small.Keyed, "anna"), "GET", $"/bots/{id}/logs");

            Assert.Equal(HttpStatusCode.OK, answer.Status);
        }
        finally
        {
            clients.ForEach(client => client.Dispose());
        }
    }

    [Fact]
    [Trait("Suite", "Long")]
    public async Task A_download_that_is_read_too_slowly_is_aborted()
    {
        var id = await PlacedBots.DeniedAsync(small.Host);
        var log = new StorageLayout(small.Manager.Storage).Log(UserId.Parse("anna"), id);
        await using (var file = File.OpenWrite(log))
            file.SetLength(16_000_000);
        using var client = new TcpClient { ReceiveBufferSize = 4096 };
        await client.ConnectAsync(IPAddress.Loopback, small.Manager.Port, Cancellation);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"GET /bots/{id}/logs HTTP/1.1\r\nHost: localhost\r\n\r\n"), Cancellation);
        Assert.Equal("200", await StatusOfAsync(client));

        Assert.True(IsOpen());
        // First, the buffers of the connection take several megabytes.
        await Eventually.TrueAsync(() => !IsOpen(), TimeSpan.FromMinutes(5));

        bool IsOpen() => Directory.GetFileSystemEntries($"/proc/{small.Manager.ProcessId}/fd").Any(descriptor => new FileInfo(descriptor).LinkTarget == log);
    }

    /// <returns>The status code of the response, once the manager answers. The body is not read.</returns>
    private static async Task<string> StatusOfAsync(TcpClient client)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var seen = new byte["HTTP/1.1 200".Length];
        await client.GetStream().ReadExactlyAsync(seen, deadline.Token);
        return Encoding.ASCII.GetString(seen)[^3..];
    }

    /// <summary>A manager without keys and with few places for event streams, and one with keys.</summary>
    public sealed class SmallManager : IAsyncLifetime
    {
        internal QueueingManager Host { get; } = new() { Settings = [("Access__EventStreamsPerKey", $"{EventStreams}"), ("Access__EventStreams", $"{EventStreams + 1}")] };

        internal QueueingManager KeyedHost { get; } = new();

        internal ManagerProcess Manager => Host.Manager;

        internal ManagerProcess Keyed => KeyedHost.Manager;

        public async ValueTask InitializeAsync()
        {
            await Host.InitializeAsync();
            await KeyedHost.InitializeAsync();
        }

        public async ValueTask DisposeAsync()
        {
            await Host.DisposeAsync();
            await KeyedHost.DisposeAsync();
        }
    }
}
