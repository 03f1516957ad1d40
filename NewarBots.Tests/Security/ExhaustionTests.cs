using System.Net;
using System.Net.Sockets;
using System.Text;
using NewarBots.Tests.Bots;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Security;

/// <summary>Many idle or slow clients do not exhaust the manager.</summary>
public sealed class ExhaustionTests(QueueingManager queueing) : IClassFixture<QueueingManager>
{
    private ManagerProcess Manager => queueing.Manager;

    [Fact]
    public void The_manager_watches_no_files_so_that_nobody_can_use_up_what_it_needs_for_that() =>
        Assert.DoesNotContain(
            Directory.GetFileSystemEntries($"/proc/{Manager.ProcessId}/fd"),
            descriptor => new FileInfo(descriptor).LinkTarget?.Contains("inotify", StringComparison.Ordinal) is true);

    [Fact]
    public async Task Five_hundred_event_streams_get_every_event_do_not_delay_other_requests_and_leave_no_handles_open()
    {
        var handles = Manager.Handles;
        var streams = new List<TcpClient>();
        try
        {
            for (var i = 0; i < 500; i++)
            {
                var stream = await RawHttp.ConnectAsync(Manager);
                streams.Add(stream);
                await stream.GetStream().WriteAsync("GET /bots/events HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray());
            }

            await Task.WhenAll(streams.Select(stream => ReadUntilAsync(stream, "text/event-stream")));
            var id = await Manager.RecordAsync("https://meet.google.com/fiv-ehun-dre", userId: "streams");
            await Task.WhenAll(streams.Select(stream => ReadUntilAsync(stream, id)));
            Assert.Equal(HttpStatusCode.OK, (await Manager.GetAsync($"/bots/{id}")).Status);
            Assert.DoesNotContain("OutOfMemoryException", Manager.Output, StringComparison.Ordinal);
        }
        finally
        {
            streams.ForEach(stream => stream.Dispose());
        }

        // The runtime opens and closes some handles of its own.
        await Eventually.TrueAsync(() => Manager.Handles < handles + 50);
    }

    [Fact]
    [Trait("Suite", "Long")]
    public async Task Clients_that_send_headers_or_a_body_too_slowly_are_disconnected_and_do_not_delay_others()
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
            var answers = await Task.WhenAll(slow.Select(RawHttp.ReadAsync));
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

    /// <summary>Sends one byte a second on each connection until it is closed.</summary>
    private static async Task DripAsync(List<TcpClient> slow, CancellationToken ended)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1), TimeProvider.System);
        try
        {
            while (await timer.WaitForNextTickAsync(ended))
            {
                foreach (var connection in slow)
                {
                    try
                    {
                        await connection.GetStream().WriteAsync("a"u8.ToArray(), ended);
                    }
                    catch (Exception exception) when (exception is IOException or InvalidOperationException)
                    {
                        // The manager has closed the connection.
                    }
                }
            }
        }
        catch (OperationCanceledException)
        {
            // All connections have their response.
        }
    }

    private static async Task ReadUntilAsync(TcpClient stream, string text)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        var seen = new StringBuilder();
        var buffer = new byte[8192];
        while (!seen.ToString().Contains(text, StringComparison.Ordinal))
        {
            var read = await stream.GetStream().ReadAsync(buffer, deadline.Token);
            Assert.True(read > 0, $"The stream ended: {seen}");
            seen.Append(Encoding.UTF8.GetString(buffer, 0, read));
        }
    }
}
