using NewarBots.Manager.Hosting;
using NewarBots.Manager.Recordings;

namespace NewarBots.Tests.Hosting;

/// <summary>Which failures are outages, by type and error number. Only failures of the bot itself are counted.</summary>
public sealed class FailureCauseTests
{
    [Theory]
    [InlineData(28, nameof(FailureCause.Storage))]
    [InlineData(122, nameof(FailureCause.Storage))]
    [InlineData(30, nameof(FailureCause.Storage))]
    [InlineData(107, nameof(FailureCause.Storage))]
    [InlineData(110, nameof(FailureCause.Storage))]
    [InlineData(112, nameof(FailureCause.Storage))]
    [InlineData(116, nameof(FailureCause.Storage))]
    [InlineData(12, nameof(FailureCause.Host))]
    [InlineData(23, nameof(FailureCause.Host))]
    [InlineData(24, nameof(FailureCause.Host))]
    [InlineData(5, nameof(FailureCause.Bot))]
    public void An_error_number_tells_an_outage(int error, string cause) =>
        Assert.Equal(cause, Failures.CauseOf(new IOException("It failed.", error)).ToString());

    [Fact]
    public void Only_an_unexplained_error_of_a_file_may_be_an_outage_of_the_storage()
    {
        Assert.True(Failures.MayBeStorage(new IOException("It failed.", 5)));
        Assert.True(Failures.MayBeStorage(new UnauthorizedAccessException()));
        Assert.False(Failures.MayBeStorage(new IOException("It failed.", 28)));
        Assert.False(Failures.MayBeStorage(new FFmpegUnfinishedException("It was killed.", hung: false)));
        Assert.False(Failures.MayBeStorage(new InvalidOperationException()));
    }
}
