using System.Text.RegularExpressions;

namespace NewarBots.Recorder.Joining;

/// <summary>Tells by their names which participants are recorders and note takers: a call that is left to them is an empty one.</summary>
/// <param name="patterns">Regular expressions, found anywhere in a name; letters' case does not matter.</param>
/// <param name="botName">The name of this recorder, which is in the call once.</param>
/// <param name="isSignedIn">The call shows it by its account's name, which nobody has told.</param>
internal sealed class OtherRecorders(IReadOnlyList<string>? patterns, string botName, bool isSignedIn)
{
    private readonly Regex[] _patterns =
    [
        .. (patterns ?? []).Select(pattern => new Regex(
            pattern, RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)),
    ];

    public int CountIn(IEnumerable<string> names)
    {
        var recorders = names.Where(name => Array.Exists(_patterns, pattern => pattern.IsMatch(name))).ToList();
        return recorders.Remove(botName) || !isSignedIn ? recorders.Count : Math.Max(0, recorders.Count - 1);
    }
}
