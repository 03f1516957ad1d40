using System.Collections.Immutable;
using System.Text.RegularExpressions;
using NewarBots.Contract;

namespace NewarBots.Recorder.Joining;

/// <summary>
/// Chooses how to answer the page's dialogs, best answer first, each once, and at last the Escape key. It never leaves the call, allows a
/// device or signs in (decision 31).
/// </summary>
internal sealed record DialogAnswers
{
    /// <summary>How long an answer has to take effect.</summary>
    private static readonly TimeSpan EffectTimeout = TimeSpan.FromSeconds(3);

    private static readonly Regex Yes = PackPattern.One("^yes$");
    private static readonly Regex StillThere = PackPattern.One(@"\bstill (there|here|around|listening|watching)\b");

    private readonly LeaveQuestion _question;
    private readonly Regex[] _safe;
    private readonly Regex[] _declining;
    private readonly Regex[] _deviceOffers;
    private readonly Regex[] _roomOffers;

    public DialogAnswers(SelectorPack pack)
    {
        (_question, _safe) = (new(pack), PackPattern.All(pack.SafeAnswers));
        (_declining, _deviceOffers, _roomOffers) = (PackPattern.All(pack.DecliningAnswers), PackPattern.All(pack.DeviceOffers), PackPattern.All(pack.RoomOffers));
    }

    /// <summary>The answers given to the dialogs that are open, and the time of the last one.</summary>
    private ImmutableDictionary<string, (ImmutableHashSet<string> Tried, DateTimeOffset LastAt)> Dialogs { get; init; } =
        ImmutableDictionary<string, (ImmutableHashSet<string>, DateTimeOffset)>.Empty;

    /// <summary>Adds a look at the page. A dialog that disappears and comes back counts as another one.</summary>
    public DialogAnswers WithView(PageView view)
    {
        if (Dialogs.IsEmpty)
            return this;
        var shown = view.Dialogs.Select(dialog => KeyOf(dialog, view)).ToHashSet();
        return this with { Dialogs = Dialogs.RemoveRange(Dialogs.Keys.Where(key => !shown.Contains(key))) };
    }

    public DialogAnswers WithAnswer(DialogAnswer answer, DateTimeOffset now) =>
        this with { Dialogs = Dialogs.SetItem(answer.Key, (TriedFor(answer.Key).Tried.Add(NameOf(answer)), now)) };

    /// <returns>
    /// The next answer to a dialog of the page; <see langword="null"/> if none is left. An answer that is not <see cref="DialogAnswer.IsDue"/>
    /// waits for the effect of the one before.
    /// </returns>
    public DialogAnswer? Next(PageView view, DateTimeOffset now)
    {
        foreach (var dialog in view.Dialogs)
        {
            var key = KeyOf(dialog, view);
            var (tried, lastAt) = TriedFor(key);
            if (AnswersTo(dialog, view.IsStillCallPage).FirstOrDefault(answer => !tried.Contains(NameOf(answer))) is { } next)
                return next with { Key = key, IsDue = now - lastAt >= EffectTimeout };
        }

        return null;
    }

    private (ImmutableHashSet<string> Tried, DateTimeOffset LastAt) TriedFor(string key) =>
        Dialogs.TryGetValue(key, out var known) ? known : ([], DateTimeOffset.MinValue);

    private IEnumerable<DialogAnswer> AnswersTo(PageDialog dialog, bool isInCall)
    {
        var isStillThere = StillThere.IsMatch(PackPattern.Plain(dialog.Text));
        var safe = dialog.Buttons
            .Where(button => button.Place.Free && !_question.IsNever(button) && (isStillThere || !Yes.IsMatch(button.Name)))
            .ToList();
        var rest = safe.ToList();
        foreach (var known in KnownAnswers(PageSign.Stay, PageSign.Dialog))
            yield return known;
        if (dialog.IsModal)
        {
            foreach (var button in safe.Where(button => IsOffer(dialog, isInCall) && PackPattern.IsAny(_declining, button.Name) && rest.Remove(button)))
                yield return new(dialog, button, IsKnown: false);
            // Outside a modal dialog, a join button leads to another room.
            foreach (var known in KnownAnswers(PageSign.JoinButton))
                yield return known;
        }

        // A panel beside the call asks nothing. A question whether to leave the call may lack the marks of a modal dialog.
        if (!dialog.IsModal && !_question.IsAskedBy(dialog))
            yield break;
        foreach (var pattern in isStillThere ? [.. _safe, Yes] : _safe)
        {
            foreach (var button in safe.Where(button => button.Sign is null && pattern.IsMatch(PackPattern.Plain(button.Name)) && rest.Remove(button)))
                yield return new(dialog, button, IsKnown: false);
        }

        foreach (var known in dialog.IsModal ? KnownAnswers(PageSign.Obstacle) : [])
            yield return known;
        if (rest is [{ Sign: null } other])
            yield return new(dialog, other, IsKnown: false);
        if (dialog.IsModal)
            yield return new(dialog, Button: null, IsKnown: false);

        IEnumerable<DialogAnswer> KnownAnswers(params PageSign[] signs) => signs.SelectMany(sign => safe
            .Where(button => button.Sign == sign && rest.Remove(button))
            .Select(button => new DialogAnswer(dialog, button, IsKnown: true)));
    }

    /// <summary>A consent with a join button is not an offer of a device, even if it names one.</summary>
    private bool IsOffer(PageDialog dialog, bool isInCall) =>
        (isInCall && PackPattern.IsAny(_roomOffers, dialog.Text))
        || (PackPattern.IsAny(_deviceOffers, dialog.Text) && dialog.Buttons.All(button => button.Sign is not PageSign.JoinButton));

    private static string NameOf(DialogAnswer answer) => answer.Button?.Name ?? string.Empty;

    /// <summary>Equal dialogs, one above the other, each get their own answers. A dialog that counts down stays the same.</summary>
    public static string KeyOf(PageDialog dialog, PageView view) =>
        $"{view.Dialogs.Count(other => WithoutDigits($"{other}") == WithoutDigits($"{dialog}"))} {WithoutDigits($"{dialog}")}";

    public static string WithoutDigits(string text) => string.Concat(text.Where(letter => !char.IsDigit(letter)));
}

/// <param name="Dialog">The dialog to answer.</param>
/// <param name="Button">The button to click; <see langword="null"/>: press Escape.</param>
/// <param name="IsKnown">The selector pack names this button.</param>
internal sealed record DialogAnswer(PageDialog Dialog, PageButton? Button, bool IsKnown)
{
    public string Key { get; init; } = string.Empty;

    /// <summary>The dialog had time to react to the answer before.</summary>
    public bool IsDue { get; init; }

    /// <summary>The selector pack does not say what the dialog asks: it knows no answer, or only a button that closes anything.</summary>
    public bool IsGuess => !IsKnown || Button?.Sign is PageSign.Obstacle;
}
