using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using NewarBots.Contract;
using NewarBots.Manager.Bots.Events;
using NewarBots.Recorder.Hosting;
using NewarBots.Recorder.Reporting;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Reporting;

public sealed class StatusReporterTests(RedisServer server) : IClassFixture<RedisServer>, IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(20);

    private readonly SessionId _session = SessionId.New(TimeProvider.System);
    private readonly string _folder = Directory.CreateTempSubdirectory("newarbots-reporter-").FullName;
    private readonly StatusOutbox _outbox = new();

    /// <summary>JSON escapes each of these characters to six bytes.</summary>
    [Theory]
    [InlineData("\u0001")]
    [InlineData("ж")]
    [InlineData("🎙")]
    [InlineData("x🎙")]
    public async Task A_detail_of_any_length_is_truncated_so_that_the_manager_accepts_it(string word)
    {
        var detail = string.Concat(Enumerable.Repeat(word, 500_000));
        using (var journal = new SessionJournal(_folder))
        {
            new StatusReporter(_session, journal, _outbox, TimeProvider.System, NullLogger<StatusReporter>.Instance)
                .Report(BotStatus.Leaving, EndReason.BlockedByPlatform, detail: detail);
        }

        using var running = new CancellationTokenSource();
        var sender = new RedisStatusSender(
            _session, server.Configuration, _outbox, new StopSignal(TimeProvider.System), TimeProvider.System, NullLogger<RedisStatusSender>.Instance);
        var sending = sender.RunAsync(running.Token);
        await _outbox.WhenEmpty().WaitAsync(Timeout);
        await running.CancelAsync();
        await sending;

        await using var connection = await server.ConnectAsync();
        var read = Assert.Single(await connection.GetDatabase().ReadEventsAsync(_session, "0-0", atMost: 10));
        var message = JsonSerializer.Deserialize(read.Message.ToString(), ContractJson.Default.StatusMessage)!;
        Assert.Equal(EndReason.BlockedByPlatform, message.Reason);
        Assert.InRange(message.Detail!.Length, 1_999, 2_000);
        Assert.StartsWith(message.Detail[..^1], detail, StringComparison.Ordinal);
        Assert.EndsWith("…", message.Detail, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
