using Microsoft.Extensions.Time.Testing;
using NewarBots.AppHost;

namespace NewarBots.Tests.AppHost;

public sealed class StartProgressTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void A_new_picture_is_progress()
    {
        var progress = new StartProgress(_time);
        progress.Note("redis Starting", lines: 0);
        _time.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal(TimeSpan.FromMinutes(1), progress.Note("redis Starting", lines: 0));
        Assert.Equal(TimeSpan.Zero, progress.Note("manager Starting", lines: 0));
    }

    [Fact]
    public void A_container_that_restarts_forever_is_no_progress()
    {
        var progress = new StartProgress(_time);
        progress.Note("redis Starting", lines: 0);
        progress.Note("redis Running", lines: 0);
        _time.Advance(TimeSpan.FromMinutes(3));
        progress.Note("redis Starting", lines: 0);
        _time.Advance(TimeSpan.FromMinutes(2));

        Assert.Equal(TimeSpan.FromMinutes(5), progress.Note("redis Running", lines: 0));
    }

    [Fact]
    public void A_line_of_a_log_is_progress()
    {
        var progress = new StartProgress(_time);
        progress.Note("recorder-image Running", lines: 3);
        _time.Advance(TimeSpan.FromMinutes(4));

        Assert.Equal(TimeSpan.Zero, progress.Note("recorder-image Running", lines: 4));
        _time.Advance(TimeSpan.FromMinutes(1));
        // A log that could not be read.
        Assert.Equal(TimeSpan.FromMinutes(1), progress.Note("recorder-image Running", lines: 0));
    }

    [Fact]
    public void A_new_start_begins_again()
    {
        var progress = new StartProgress(_time);
        progress.Note("redis Starting", lines: 9);
        _time.Advance(TimeSpan.FromMinutes(4));
        progress.Reset();

        Assert.Equal(TimeSpan.Zero, progress.Note("redis Starting", lines: 1));
    }
}
