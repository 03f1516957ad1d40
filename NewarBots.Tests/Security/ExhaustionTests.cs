using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using NewarBots.Tests.Bots;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Security;

/// <summary>Many who take and give nothing.</summary>
public sealed class ExhaustionTests(QueueingManager queueing) : IClassFixture<QueueingManager>
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(5);

    private ManagerProcess Manager => queueing.Manager;

    [Fact]
    public async Task Five_hundred_open_event_streams_are_told_keep_nobody_waiting_and_leave_nothing()
    {
        var handles = Manager.Handles;
        var megabytes = Manager.Megabytes;
        var streams = new List<TcpClient>();
        try
        {
            for (var i = 0; i < 500; i++)
            {
                var stream = await RawHttp.ConnectAsync(Manager);
                streams.Add(stream);
                await stream.GetStream().WriteAsync("GET /bots/events HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray());
            }

            await Task.WhenAll(streams.Select(stream => SeesAsync(stream, "text/event-stream")));
            var id = await Manager.RecordAsync("https://meet.google.com/fiv-ehun-dre", userId: "streams");
            await Task.WhenAll(streams.Select(stream => SeesAsync(stream, id)));
            var watch = Stopwatch.StartNew();
            Assert.Equal(HttpStatusCode.OK, (await Manager.GetAsync($"/bots/{id}")).Status);
            Assert.True(watch.Elapsed < Soon, $"It took {watch.Elapsed}.");
            Assert.InRange(Manager.Megabytes - megabytes, -megabytes, 150);
        }
        finally
        {
            streams.ForEach(stream => stream.Dispose());
        }

        // Some are the runtime's own, and come and go.
        await Eventually.TrueAsync(() => Manager.Handles < handles + 50);
    }

    [Fact]
    [Trait("Suite", "Long")]
    public async Task Who_sends_headers_or_a_body_drop_by_drop_is_hung_up_on_and_holds_up_nobody()
    {
        var slow = new List<TcpClient>();
        try
        {
            for (var i = 0; i < 200; i++)
            {
                var connection = await RawHttp.ConnectAsync(Manager);
                slow.Add(connection);
                await connection.GetStream().WriteAsync(Encoding.Latin1.GetBytes(i % 2 == 0
                    ? "GET /alive HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
                    : "POST /bots HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n{"));
            }

            using var ended = new CancellationTokenSource();
            var dripping = DripAsync(slow, ended.Token);
            Assert.Equal(HttpStatusCode.OK, (await Manager.GetAsync("/bots")).Status);
            var answers = await Task.WhenAll(slow.Select(RawHttp.AnswerAsync));
            await ended.CancelAsync();
            await dripping;

            Assert.All(answers, answer => Assert.Equal((408, 1), (answer.Status, answer.Count)));
            Assert.Contains("urn:newarbots:problem:request-timeout", answers[1].Text, StringComparison.Ordinal);
            Assert.DoesNotContain("unhandled exception", Manager.Output, StringComparison.Ordinal);
        }
        finally
        {
            slow.ForEach(connection => connection.Dispose());
        }
    }

    /// <summary>A byte a second to each, as long as it is taken.</summary>
    private static async Task DripAsync(List<TcpClient> slow, CancellationToken ended)
    {
        using var drops = new PeriodicTimer(TimeSpan.FromSeconds(1), TimeProvider.System);
        try
        {
            while (await drops.WaitForNextTickAsync(ended))
            {
                foreach (var connection in slow)
                {
                    try
                    {
                        await connection.GetStream().WriteAsync("a"u8.ToArray(), ended);
                    }
                    catch (Exception exception) when (exception is IOException or InvalidOperationException)
                    {
                        // It was hung up on.
                    }
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Everybody has been answered.
        }
    }

    private static async Task SeesAsync(TcpClient stream, string text)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var seen = new StringBuilder();
        var buffer = new byte[8192];
        while (!seen.ToString().Contains(text, StringComparison.Ordinal))
        {
            var read = await stream.GetStream().ReadAsync(buffer, deadline.Token);
            Assert.True(read > 0, $"It ended: {seen}");
            seen.Append(Encoding.UTF8.GetString(buffer, 0, read));
        }
    }
}
