using Microsoft.Extensions.Logging;
using NewarBots.Contract;
using NewarBots.Recorder.Reporting;
using NewarBots.Tests.Fixtures;
using NewarBots.Tests.Recording;

namespace NewarBots.Tests.Reporting;

public sealed class SessionJournalTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("newarbots-journal-").FullName;
    private readonly LogLines<SessionJournal> _log = new();

    [Fact]
    public void A_line_that_readers_would_skip_is_an_error_in_the_log()
    {
        using (var journal = new SessionJournal(_folder, _log))
        {
            journal.Append(new(Gap: new(-1, 4, GapCause.WaitingRoom)));
            journal.Append(new(Gap: new(5, 6, GapCause.WaitingRoom)));
        }

        Assert.Equal([new Gap(5, 6, GapCause.WaitingRoom)], new RecorderFolder(_folder).Gaps());
        Assert.Contains("Not written to the journal", Assert.Single(_log.All, line => line.Level is LogLevel.Error).Text, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
