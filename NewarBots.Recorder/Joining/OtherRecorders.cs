using System.Text.RegularExpressions;

namespace NewarBots.Recorder.Joining;

/// <summary>Tells by their names which participants are recorders and note takers: a call that is left to them is an empty one.</summary>
/// <param name="patterns">Regular expressions, found anywhere in a name; letters' case does not matter.</param>
/// <param name="botName">The name of this recorder, which is in the call once.</param>
/// <param name="isSignedIn">
/// The call shows it by its account's name, which nobody has told: it is one of those that are there whenever everybody is shown. While
/// that may be a recorder's, one recorder is taken for this one, so that it rather stays too long than leaves people behind.
/// </param>
internal sealed class OtherRecorders(IReadOnlyList<string>? patterns, string botName, bool isSignedIn)
{
    private readonly Regex[] _patterns =
    [
        .. (patterns ?? []).Select(pattern => new Regex(
            pattern, RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)),
    ];

    private HashSet<string>? _ownNames;

    /// <param name="names">Of those whom the page shows.</param>
    /// <param name="all">How many are in the call, this one too; <see langword="null"/> where it is not the call or does not tell.</param>
    public int CountIn(IReadOnlyCollection<string> names, int? all)
    {
        if (names.Count == all)
        {
            _ownNames ??= [.. names];
            _ownNames.IntersectWith(names);
        }

        var recorders = names.Where(name => Array.Exists(_patterns, pattern => pattern.IsMatch(name))).ToList();
        var isAnother = !isSignedIn || (_ownNames is { Count: > 0 } own && !own.Overlaps(recorders));
        return recorders.Remove(botName) || isAnother ? recorders.Count : Math.Max(0, recorders.Count - 1);
    }
}
