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

    /// <summary>The page could not be looked at, for example because it navigates. This says nothing about what it shows.</summary>
    public static PageView Failed { get; } = Nothing with { IsFailed = true };

    /// <inheritdoc cref="Failed"/>
    public bool IsFailed { get; private init; }

    /// <summary>The open dialogs, the one on top first.</summary>
    public IReadOnlyList<PageDialog> Dialogs { get; init; } = [];

    /// <summary>Audio bytes that the page's connections have received so far.</summary>
    public long ReceivedBytes { get; init; }

    /// <summary>The page has neither text nor controls.</summary>
    public bool IsBlank { get; init; }

    /// <summary>The page's latest error which says that the platform has dropped its session; <see langword="null"/> without one.</summary>
    public PageDrop? Drop { get; init; }

    /// <summary>The page hides its toolbar or its participant count, until the mouse moves.</summary>
    public bool IsConcealed { get; init; }

    public bool Shows(PageSign sign) => Find(sign) is not null;

    public PageMatch? Find(PageSign sign) => Matches.FirstOrDefault(match => match.Sign == sign);

    /// <summary>
    /// The page could be the call: it has a leave button, and nothing asks the guest to wait or to enter a name. That alone proves nothing,
    /// because a waiting room has these controls too, and its texts may be unknown.
    /// </summary>
    private bool MayBeCall =>
        Shows(PageSign.LeaveButton)
        && !Shows(PageSign.WaitingRoom)
        && (!Shows(PageSign.GettingReady) || HasCallSign)
        && !Shows(PageSign.NameBox);

    /// <summary>The page shows something that exists in a call only. Chat, toggles and the guest's own tile are in the waiting room too.</summary>
    private bool HasCallSign => Count > 1 || (Count == 1 && IsSelfShown) || NamedOthers > 0 || Shows(PageSign.CallControl);

    /// <summary>A leave button that can be seen, or anything that exists in a call only.</summary>
    public bool HasVisibleCallSign => Matches.Any(match => match is { Sign: PageSign.LeaveButton, IsHidden: false }) || HasCallSign;

    /// <summary>The page proves that the guest is in the call. It may still show a notice or a banner with a join button.</summary>
    public bool IsProvenCall => (MayBeCall && HasCallSign) || IsCallBesideLobby;

    /// <summary>
    /// The page shows the call although the lobby is still in it. A lobby may show who is in the call, but not together with a leave
    /// button and the call's controls.
    /// </summary>
    private bool IsCallBesideLobby =>
        Shows(PageSign.LeaveButton)
        && Shows(PageSign.CallControl)
        && Count > 1
        && NamedOthers > 0
        && !Shows(PageSign.WaitingRoom)
        && !Shows(PageSign.GettingReady);

    /// <summary>With received audio, the page is the call, even if the name box of the lobby is still in it.</summary>
    public bool IsCallWithAudio =>
        (!Shows(PageSign.GettingReady) || (HasCallSign && !Shows(PageSign.NameBox)))
        && (!Shows(PageSign.NameBox) || (Shows(PageSign.LeaveButton) && HasCallSign));

    /// <summary>
    /// With received audio, the page proves that a guest who waits was admitted. A waiting room may play music, so beside its text the page must
    /// also show others.
    /// </summary>
    public bool IsAdmissionWithAudio => IsCallWithAudio && (!Shows(PageSign.WaitingRoom) || Count > 1 || NamedOthers > 0);

    /// <summary>
    /// The page still shows the call to a guest who was admitted. While it shows anything that exists in a call only, the texts and the name
    /// box of the lobby do not count: the text may be in the chat, and the box may have stayed in the page.
    /// </summary>
    public bool IsStillCallPage => MayBeCall || (
        Shows(PageSign.LeaveButton)
        && (HasCallSign || (Count is not null && !Shows(PageSign.NameBox)))
        && !Shows(PageSign.GettingReady)) || ShowsOthers;

    /// <summary>The page shows others outside a lobby. The name of the leave button may be unknown.</summary>
    private bool ShowsOthers =>
        (Count > 1 || NamedOthers > 0)
        && !Shows(PageSign.NameBox)
        && (Shows(PageSign.LeaveButton) || !(Shows(PageSign.JoinButton) || Shows(PageSign.WaitingRoom)));

    /// <summary>The page shows the lobby or the waiting room.</summary>
    public bool IsLobby => !IsStillCallPage && (OffersToJoin || Shows(PageSign.WaitingRoom));

    /// <summary>The page offers to join.</summary>
    public bool OffersToJoin => Shows(PageSign.NameBox) || Shows(PageSign.JoinButton) || Shows(PageSign.SwitchButton);

    /// <summary>The page asks the guest to wait, and nothing on it belongs to a call or to the page before.</summary>
    public bool IsWaitingRoom => Shows(PageSign.WaitingRoom) && !OffersToJoin && !IsStillCallPage;

    /// <summary>The page is one of the meeting's own: it shows anything of the lobby, the waiting room or the call.</summary>
    public bool IsMeetingPage => IsLobby || Shows(PageSign.LeaveButton) || Shows(PageSign.GettingReady) || Shows(PageSign.JoinButton);

    /// <summary>The number of participants, including this bot: the highest that the page shows; <see langword="null"/> if it shows none.</summary>
    public int? Count => Matches.Where(match => match.Sign is PageSign.ParticipantCount).Max(match => match.Number);

    /// <summary>How many others the page shows by name, including recorders.</summary>
    public int NamedOthers { get; init; }

    /// <summary>The names of people that the page shows: without recorders, and without this bot as far as its name is known.</summary>
    public IReadOnlyList<string> People { get; init; } = [];

    /// <summary>The page shows as many others by name as it counts.</summary>
    public bool IsEverybodyShown => NamedOthers >= Count - 1;

    /// <summary>The page shows this bot as a participant.</summary>
    public bool IsSelfShown { get; init; }

    /// <summary>How many recorders other than this one are in the call.</summary>
    public int OtherRecorders { get; init; }

    /// <summary>How many people the page shows by name: without recorders and this bot.</summary>
    public int NamedPeople => Math.Max(0, NamedOthers - OtherRecorders);

    /// <summary>How many others are in the call, without recorders; <see langword="null"/> if the page does not show a count.</summary>
    public int? Others => Count is { } all ? Math.Max(Math.Max(0, all - 1 - OtherRecorders), Math.Min(NamedPeople, all - 1)) : null;

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
    IReadOnlyList<string>? Names = null)
{
    /// <summary>Identifies the person of each of <see cref="Names"/>.</summary>
    public IReadOnlyList<string>? Persons { get; init; }

    /// <summary>The element is in the page, but cannot be seen.</summary>
    public bool IsHidden { get; init; }

    /// <summary>The text is in a modal dialog.</summary>
    public bool IsInModal { get; init; }

    /// <summary>The text is a part of a longer one, such as somebody's name or the meeting's title.</summary>
    public bool IsPart { get; init; }
}

/// <param name="X">In CSS pixels of the viewport.</param>
/// <param name="Y">In CSS pixels of the viewport.</param>
/// <param name="Free">The element is enabled and nothing covers it.</param>
internal sealed record PagePlace(double X, double Y, bool Free);

/// <param name="Error">The first line of the error.</param>
/// <param name="Count">How many such errors the page has had, with this one.</param>
internal sealed record PageDrop(string Error, int Count);

/// <summary>A dialog that the page shows.</summary>
/// <param name="Text">Its text, shortened.</param>
/// <param name="IsModal">It asks to be answered before anything else: it is marked as modal, or it covers the page.</param>
/// <param name="Buttons">Its buttons and links, in the page's order.</param>
internal sealed record PageDialog(string Text, bool IsModal, IReadOnlyList<PageButton> Buttons)
{
    /// <summary>One line for logs and evidence.</summary>
    public override string ToString() => $"\"{Text}\" [{string.Join(" | ", Buttons.Select(button => button.Name))}]";
}

/// <param name="Name">The accessible name.</param>
/// <param name="Place">The position to click.</param>
/// <param name="Entry">The id of the selector pack's entry for this control, if any.</param>
/// <param name="Sign">That entry's meaning.</param>
internal sealed record PageButton(string Name, PagePlace Place, string? Entry = null, PageSign? Sign = null)
{
    /// <summary>The visible text, if it differs from the accessible name.</summary>
    public string? OtherName { get; init; }
}
