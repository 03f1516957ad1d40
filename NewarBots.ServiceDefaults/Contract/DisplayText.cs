using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace NewarBots.Contract;

/// <summary>Text that a page may have chosen and a person reads, in a terminal, a log or a web page.</summary>
public static class DisplayText
{
    /// <param name="text">The text.</param>
    /// <param name="replacement">Takes the place of each character that is no text.</param>
    /// <returns>
    /// The text in one line: characters that <see cref="IsControl"/> matches and unpaired surrogates are replaced. Unchanged if it has none.
    /// </returns>
    [return: NotNullIfNotNull(nameof(text))]
    public static string? Clean(string? text, string replacement = " ")
    {
        if (text is null || !text.EnumerateRunes().Any(NeedsReplacement))
            return text;
        var clean = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
            clean.Append(NeedsReplacement(rune) ? replacement : rune.ToString());
        return clean.ToString();
    }

    /// <summary>Control characters, line separators and bidirectional marks corrupt lists, logs and terminals.</summary>
    public static bool IsControl(Rune rune) =>
        Rune.IsControl(rune)
        || rune.Value is 0x061C or 0x200E or 0x200F or 0x2028 or 0x2029 or (>= 0x202A and <= 0x202E) or (>= 0x2066 and <= 0x2069);

    private static bool NeedsReplacement(Rune rune) => IsControl(rune) || rune == Rune.ReplacementChar;
}
