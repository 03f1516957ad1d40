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
    /// The guest is in the call: it can leave, and nothing asks it to wait, to tell its name or to join. All of the call's
    /// controls exist in the waiting room too, so none of them alone says it.
    /// </summary>
    public bool IsInCall =>
        Shows(PageSign.LeaveButton)
        && !Shows(PageSign.WaitingRoom)
        && !Shows(PageSign.GettingReady)
        && !Shows(PageSign.NameBox)
        && !Shows(PageSign.JoinButton);

    /// <summary>How many others are in the call; <see langword="null"/> where the page does not tell.</summary>
    public int? Others => Find(PageSign.ParticipantCount)?.Number is { } all ? Math.Max(0, all - 1) : null;

    /// <summary>The entries that matched, for logs and spans.</summary>
    public string Entries => string.Join(' ', Matches.Select(match => match.Entry));
}

/// <param name="Entry">The selector pack's entry.</param>
/// <param name="Sign">What it means.</param>
/// <param name="Place">Where to click; <see langword="null"/> for what is no element.</param>
/// <param name="Value">What a text box holds.</param>
/// <param name="Number">The number that it tells.</param>
internal sealed record PageMatch(string Entry, PageSign Sign, PagePlace? Place = null, string? Value = null, int? Number = null);

/// <param name="X">In CSS pixels of the view.</param>
/// <param name="Y">In CSS pixels of the view.</param>
/// <param name="Free">Nothing lies over it and it is enabled.</param>
internal sealed record PagePlace(double X, double Y, bool Free);
