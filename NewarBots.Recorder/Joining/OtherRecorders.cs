using System.Text.RegularExpressions;

namespace NewarBots.Recorder.Joining;

/// <summary>Counts the participants whose names are those of recorders and note takers. A call with nobody else is empty.</summary>
/// <param name="patterns">Regular expressions that match part of a name, ignoring case.</param>
/// <param name="botName">This recorder's name, which occurs once in the call.</param>
/// <param name="isSignedIn">
/// The call shows the account's name, which is unknown. It must be among the names present whenever all participants are shown. As long as
/// one of those looks like a recorder, one recorder is assumed to be this one: staying too long is better than leaving people behind.
/// </param>
internal sealed class OtherRecorders(IReadOnlyList<string>? patterns, string botName, bool isSignedIn)
{
    private readonly Regex[] _patterns =
    [
        .. (patterns ?? []).Select(pattern => new Regex(
            pattern, RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)),
    ];

    /// <summary>The candidates for the account's name.</summary>
    private HashSet<string>? _ownNames;

    /// <param name="names">The names that the page shows.</param>
    /// <param name="total">The number of participants, including this one; <see langword="null"/> if the page does not show it.</param>
    public int CountIn(IReadOnlyCollection<string> names, int? total)
    {
        if (names.Count == total)
        {
            _ownNames ??= [.. names];
            _ownNames.IntersectWith(names);
        }

        var recorders = names.Where(name => Array.Exists(_patterns, pattern => pattern.IsMatch(name))).ToList();
        var areAllOthers = !isSignedIn || (_ownNames is { Count: > 0 } own && !own.Overlaps(recorders));
        return recorders.Remove(botName) || areAllOthers ? recorders.Count : Math.Max(0, recorders.Count - 1);
    }
}
