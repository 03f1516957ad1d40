namespace NewarBots.Recorder.Joining;

/// <summary>The address at which the page last showed the meeting, and whether it has left that address.</summary>
internal sealed record MeetingAddress
{
    /// <summary>How long the page may be at another host. A page that is loading may redirect.</summary>
    private static readonly TimeSpan OtherHostTimeout = TimeSpan.FromSeconds(5);

    /// <summary>The same for another address of the meeting's host, which may be the call, or another room of it.</summary>
    private static readonly TimeSpan OtherPathTimeout = TimeSpan.FromSeconds(30);

    private string? Address { get; init; }

    private DateTimeOffset? LeftSince { get; init; }

    private bool IsAtOtherHost { get; init; }

    /// <summary>The page is at another address, for however short a time.</summary>
    public bool IsElsewhere => LeftSince is not null;

    /// <summary>The page has been at another address for too long: the platform sent the browser away.</summary>
    public bool IsLeft(DateTimeOffset now) => now - LeftSince >= (IsAtOtherHost ? OtherHostTimeout : OtherPathTimeout);

    /// <summary>The page shows the meeting.</summary>
    public MeetingAddress At(PageView view) => this with { Address = AddressOf(view), LeftSince = null };

    /// <summary>The page does not show the meeting, but something proves that it is still there.</summary>
    public MeetingAddress Kept => LeftSince is null ? this : this with { LeftSince = null };

    /// <param name="view">A page that shows nothing of the meeting.</param>
    /// <param name="mayBeMeeting">It may be the meeting if it is at the same host.</param>
    /// <param name="now">The time of the look.</param>
    public MeetingAddress After(PageView view, bool mayBeMeeting, DateTimeOffset now)
    {
        var address = AddressOf(view);
        if (Address is null || address == Address || !address.StartsWith("http", StringComparison.Ordinal))
            return Kept;
        var isAtOtherHost = new Uri(address).Authority != new Uri(Address).Authority;
        if (!isAtOtherHost && mayBeMeeting)
            return Kept;
        return this with { LeftSince = isAtOtherHost == IsAtOtherHost ? LeftSince ?? now : now, IsAtOtherHost = isAtOtherHost };
    }

    private static string AddressOf(PageView view) => view.Url.Split('?', '#')[0].TrimEnd('/');
}
