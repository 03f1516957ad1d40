using NewarBots.Contract;

namespace NewarBots.Recorder.Joining;

/// <summary>One look at a page: the selector pack's entries that it shows.</summary>
/// <param name="Url">The page's address.</param>
/// <param name="Title">The page's title.</param>
/// <param name="Capturing">The page's audio is being encoded.</param>
/// <param name="Matches">The matching entries, in the pack's order.</param>
internal sealed record PageView(string Url, string Title, bool Capturing, IReadOnlyList<PageMatch> Matches)
{
    public static PageView Nothing { get; } = new("about:blank", string.Empty, Capturing: false, []);

    public bool Shows(PageSign sign) => Find(sign) is not null;

    public PageMatch? Find(PageSign sign) => Matches.FirstOrDefault(match => match.Sign == sign);

    /// <summary>
    /// The page shows the call: it has a leave button, and nothing asks the guest to wait or to enter a name. The waiting room has all of
    /// the call's controls too, so no single control is sufficient.
    /// </summary>
    public bool IsCallPage =>
        Shows(PageSign.LeaveButton)
        && !Shows(PageSign.WaitingRoom)
        && !Shows(PageSign.GettingReady)
        && !Shows(PageSign.NameBox);

    /// <summary>
    /// For an admitted guest, the page still shows the call. While it shows a participant count, the waiting room's text does not count: it
    /// may be in the chat.
    /// </summary>
    public bool IsStillCallPage => IsCallPage || (
        Shows(PageSign.LeaveButton)
        && Shows(PageSign.ParticipantCount)
        && !Shows(PageSign.GettingReady)
        && !Shows(PageSign.NameBox));

    /// <summary>The guest is in the call, and no notice about recording or transcription asks it to join again.</summary>
    public bool IsInCall => IsCallPage && !Shows(PageSign.JoinButton);

    /// <summary>The page shows the lobby or the waiting room.</summary>
    public bool IsLobby => !IsCallPage && (Shows(PageSign.NameBox) || Shows(PageSign.JoinButton) || Shows(PageSign.WaitingRoom));

    /// <summary>How many recorders other than this one are in the call.</summary>
    public int OtherRecorders { get; init; }

    /// <summary>How many others are in the call, without recorders; <see langword="null"/> if the page does not show a count.</summary>
    public int? Others => Find(PageSign.ParticipantCount)?.Number is { } all ? Math.Max(0, all - 1 - OtherRecorders) : null;

    /// <summary>The names that the page marks as speaking.</summary>
    public IReadOnlyList<string> Speakers => [.. Matches.Where(match => match.Sign is PageSign.Speaker).SelectMany(match => match.Names ?? []).Distinct()];

    /// <summary>The ids of the matching entries, for logs and spans.</summary>
    public string Entries => string.Join(' ', Matches.Select(match => match.Entry));
}

/// <param name="Entry">The id of the selector pack's entry.</param>
/// <param name="Sign">The entry's meaning.</param>
/// <param name="Place">The position to click; <see langword="null"/> if the match is not an element.</param>
/// <param name="Value">The content of a text box.</param>
/// <param name="Number">The number that the element shows.</param>
/// <param name="Names">The names that the elements show.</param>
internal sealed record PageMatch(
    string Entry,
    PageSign Sign,
    PagePlace? Place = null,
    string? Value = null,
    int? Number = null,
    IReadOnlyList<string>? Names = null);

/// <param name="X">In CSS pixels of the viewport.</param>
/// <param name="Y">In CSS pixels of the viewport.</param>
/// <param name="Free">The element is enabled and nothing covers it.</param>
internal sealed record PagePlace(double X, double Y, bool Free);
