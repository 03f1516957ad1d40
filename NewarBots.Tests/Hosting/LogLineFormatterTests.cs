using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using NewarBots.Recorder.Hosting;

namespace NewarBots.Tests.Hosting;

public sealed class LogLineFormatterTests
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 3, 1, 10, 21, 4, 117, TimeSpan.Zero));

    [Fact]
    public void A_log_record_is_one_line_without_its_event_id() =>
        Assert.Equal($"10:21:04.117 info: StatusReporter: Status Recording{Environment.NewLine}", Format(LogLevel.Information, "Status\nRecording"));

    [Fact]
    public void An_exception_is_part_of_the_line() => Assert.Equal(
        $"10:21:04.117 fail: StatusReporter: Not sent System.IO.IOException: no space left{Environment.NewLine}",
        Format(LogLevel.Error, "Not sent", new IOException("no space\nleft")));

    private string Format(LogLevel level, string message, Exception? exception = null)
    {
        using var text = new StringWriter();
        new LogLineFormatter(_time).Write(
            new LogEntry<string>(level, "NewarBots.Recorder.Reporting.StatusReporter", new EventId(17, "Reported"), message, exception, (state, _) => state),
            scopeProvider: null, text);
        return text.ToString();
    }
}
