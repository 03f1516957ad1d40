using Microsoft.Extensions.Time.Testing;
using Microsoft.Playwright;
using NewarBots.Recorder.Joining;

namespace NewarBots.Tests.Joining;

public sealed class MeetingBrowserTests
{
    [Fact]
    public async Task A_driver_that_hangs_is_given_up_after_30_s()
    {
        var time = new FakeTimeProvider();
        var starting = MeetingBrowser.StartDriverAsync(() => new TaskCompletionSource<IPlaywright>().Task, time);

        time.Advance(TimeSpan.FromSeconds(29));
        Assert.False(starting.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(1));

        var exception = await Assert.ThrowsAsync<TimeoutException>(() => starting);
        Assert.Equal("Playwright's driver did not start within 30 s.", exception.Message);
    }
}
