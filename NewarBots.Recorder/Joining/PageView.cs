using NewarBots.Contract;

namespace NewarBots.Recorder.Joining;

/// <summary>What a page shows at one moment, in the words of the selector pack.</summary>
/// <param name="Url">Where it is.</param>
/// <param name="Title">Its title.</param>
/// <param name="Capturing">Its audio is being encoded.</param>
/// <param name="Matches">What was found, in the pack's order.</param>
internal sealed record PageView(string Url, string Title, bool Capturing, IReadOnlyList<PageMatch> Matches)
{
    public static PageView Nothing { get; } = new("about:blank", string.Empty, Capturing: false, []);

    public bool Shows(PageSign sign) => Find(sign) is not null;

    public PageMatch? Find(PageSign sign) => Matches.FirstOrDefault(match => match.Sign == sign);

    /// <summary>
    /// It is the call's page: the guest can leave, and nothing asks it to wait or to tell its name. All of the call's controls
    /// exist in the waiting room too, so none of them alone says it.
    /// </summary>
    public bool IsCallPage =>
        Shows(PageSign.LeaveButton)
        && !Shows(PageSign.WaitingRoom)
        && !Shows(PageSign.GettingReady)
        && !Shows(PageSign.NameBox);

    /// <summary>
    /// To a guest who was let in, it is still the call: while the page counts who is there, the waiting room's words are only words,
    /// for example in the chat.
    /// </summary>
    public bool IsStillCallPage => IsCallPage || (
        Shows(PageSign.LeaveButton)
        && Shows(PageSign.ParticipantCount)
        && !Shows(PageSign.GettingReady)
        && !Shows(PageSign.NameBox));

    /// <summary>The guest is in the call; no notice about recording or transcription asks it to join once more.</summary>
    public bool IsInCall => IsCallPage && !Shows(PageSign.JoinButton);

    /// <summary>The meeting's door: a lobby or the waiting room.</summary>
    public bool IsDoor => !IsCallPage && (Shows(PageSign.NameBox) || Shows(PageSign.JoinButton) || Shows(PageSign.WaitingRoom));

    /// <summary>How many of those in the call are recorders too, this one not counted.</summary>
    public int OtherRecorders { get; init; }

    /// <summary>How many others are in the call, recorders not counted; <see langword="null"/> where the page does not tell.</summary>
    public int? Others => Find(PageSign.ParticipantCount)?.Number is { } all ? Math.Max(0, all - 1 - OtherRecorders) : null;

    /// <summary>The names that the page marks as speaking.</summary>
    public IReadOnlyList<string> Speakers => [.. Matches.Where(match => match.Sign is PageSign.Speaker).SelectMany(match => match.Names ?? []).Distinct()];

    /// <summary>The entries that matched, for logs and spans.</summary>
    public string Entries => string.Join(' ', Matches.Select(match => match.Entry));
}

/// <param name="Entry">The selector pack's entry.</param>
/// <param name="Sign">What it means.</param>
/// <param name="Place">Where to click; <see langword="null"/> for what is no element.</param>
/// <param name="Value">What a text box holds.</param>
/// <param name="Number">The number that it tells.</param>
/// <param name="Names">The people that it names, one for each element.</param>
internal sealed record PageMatch(
    string Entry,
    PageSign Sign,
    PagePlace? Place = null,
    string? Value = null,
    int? Number = null,
    IReadOnlyList<string>? Names = null);

/// <param name="X">In CSS pixels of the view.</param>
/// <param name="Y">In CSS pixels of the view.</param>
/// <param name="Free">Nothing lies over it and it is enabled.</param>
internal sealed record PagePlace(double X, double Y, bool Free);
