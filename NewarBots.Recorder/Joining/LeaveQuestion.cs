using System.Text.RegularExpressions;
using NewarBots.Contract;

namespace NewarBots.Recorder.Joining;

/// <summary>
/// Recognizes the question whether to leave the call, which a page may show without any mark of a dialog: of its two buttons, one must not be clicked, and
/// neither leads back. It has a question mark, or one button leaves and the other stays, in words of the selector pack.
/// </summary>
internal sealed class LeaveQuestion(SelectorPack pack)
{
    private static readonly Regex Back = PackPattern.One("^(go )?back$");

    private readonly Regex[] _never = PackPattern.All(pack.NeverAnswers);
    private readonly Regex[] _leaving = PackPattern.All(pack.NeverAnswers?.Take(1).ToList());
    private readonly Regex[] _staying = PackPattern.All(pack.SafeAnswers?.Take(1).ToList());

    public bool IsAskedBy(PageDialog dialog) =>
        dialog.Buttons.Count == 2
        && dialog.Buttons.Count(IsNever) == 1
        && !dialog.Buttons.Any(button => Back.IsMatch(button.Name))
        && (dialog.Text.Contains('?', StringComparison.Ordinal) || (HasButton(dialog, _leaving) && HasButton(dialog, _staying)));

    /// <summary>The button leaves the call, allows a device or does something else that a bot must not do.</summary>
    public bool IsNever(PageButton button) => IsNamed(button, _never);

    private static bool HasButton(PageDialog dialog, Regex[] patterns) => dialog.Buttons.Any(button => IsNamed(button, patterns));

    private static bool IsNamed(PageButton button, Regex[] patterns) =>
        PackPattern.IsAny(patterns, button.Name) || (button.OtherName is { } text && PackPattern.IsAny(patterns, text));
}
