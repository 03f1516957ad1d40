using System.Text.RegularExpressions;

namespace NewarBots.Recorder.Joining;

/// <summary>The regular expressions of the selector pack. They take linear time, because pages choose the texts.</summary>
internal static class PackPattern
{
    public static Regex[] All(IReadOnlyList<string>? patterns) => [.. (patterns ?? []).Select(One)];

    /// <summary>Straight apostrophes, as in the pack.</summary>
    public static string Plain(string text) => text.Replace('\u2018', '\'').Replace('\u2019', '\'');

    public static bool IsAny(Regex[] patterns, string text) => Array.Exists(patterns, pattern => pattern.IsMatch(Plain(text)));

    public static Regex One(string pattern) =>
        new(pattern, RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);
}
