using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using NewarBots.Contract;
using NewarBots.Recorder.Reporting;
using NewarBots.Tests.Fixtures;

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

    [Fact]
    public void Only_a_changed_status_is_logged_at_Information()
    {
        var log = new LogLines<StatusReporter>();
        using (var journal = new SessionJournal(_folder, NullLogger<SessionJournal>.Instance))
        {
            var reporter = new StatusReporter(_session, journal, new StatusOutbox(), TimeProvider.System, log);
            reporter.Report(BotStatus.Joining);
            reporter.Report(BotStatus.Recording, figures: new(Chunks: 1, RecordedSeconds: 5, AudibleSeconds: 4, Level: -20));
            reporter.Report(BotStatus.Recording, figures: new(Chunks: 1, RecordedSeconds: 10, AudibleSeconds: 8, Level: -20));
            reporter.Report(BotStatus.Leaving, EndReason.StopRequested, new(Chunks: 2, RecordedSeconds: 12, AudibleSeconds: 9, Level: -20));
        }

        Assert.Equal(
            [
                (LogLevel.Information, "Status Joining, 0 s recorded"),
                (LogLevel.Information, "Status Recording, 5 s recorded"),
                (LogLevel.Debug, "Status Recording, 10 s recorded"),
                (LogLevel.Information, "Status Leaving (StopRequested), 12 s recorded"),
            ],
            log.All);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
