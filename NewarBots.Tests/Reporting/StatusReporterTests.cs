using Microsoft.Extensions.Logging.Abstractions;
using NewarBots.Contract;
using NewarBots.Recorder.Reporting;

namespace NewarBots.Tests.Reporting;

public sealed class StatusReporterTests : IDisposable
{
    private readonly SessionId _session = SessionId.New(TimeProvider.System);
    private readonly string _folder = Directory.CreateTempSubdirectory("newarbots-reporter-").FullName;

    [Theory]
    [InlineData("<")]
    [InlineData("ж")]
    [InlineData("🎙")]
    [InlineData("x🎙")]
    public void A_detail_of_any_length_is_truncated_so_that_the_manager_accepts_it(string word)
    {
        var detail = string.Concat(Enumerable.Repeat(word, 500_000));
        using (var journal = new SessionJournal(_folder, NullLogger<SessionJournal>.Instance))
        {
            new StatusReporter(_session, journal, new StatusOutbox(), TimeProvider.System, NullLogger<StatusReporter>.Instance)
                .Report(BotStatus.Leaving, EndReason.BlockedByPlatform, detail: detail);
        }

        var line = Assert.Single(File.ReadAllLines(Path.Combine(_folder, Journal.FileName)));
        var message = Journal.TryParse(line)!.Status!;
        Assert.Equal(EndReason.BlockedByPlatform, message.Reason);
        Assert.InRange(message.Detail!.Length, 1_999, 2_000);
        Assert.StartsWith(message.Detail[..^1], detail, StringComparison.Ordinal);
        Assert.EndsWith("…", message.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_detail_is_one_line_without_control_characters()
    {
        using (var journal = new SessionJournal(_folder, NullLogger<SessionJournal>.Instance))
        {
            new StatusReporter(_session, journal, new StatusOutbox(), TimeProvider.System, NullLogger<StatusReporter>.Instance)
                .Report(BotStatus.Waiting, detail: "two\r\nlines \u001b[31m, \u202eand\u2066 more");
        }

        Assert.Equal(
            "two  lines  [31m,  and  more", Journal.TryParse(File.ReadAllText(Path.Combine(_folder, Journal.FileName)))!.Status!.Detail);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
