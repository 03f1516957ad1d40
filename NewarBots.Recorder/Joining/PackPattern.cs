using System.Text.RegularExpressions;

namespace NewarBots.Recorder.Joining;

/// <summary>The regular expressions of the selector pack. They take linear time, because pages choose the texts.</summary>
internal static class PackPattern
{
    public static Regex[] All(IReadOnlyList<string>? patterns) => [.. (patterns ?? []).Select(One)];

    public static Regex One(string pattern) =>
        new(pattern, RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);
}
