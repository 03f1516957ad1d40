using System.Globalization;
using System.Text;

namespace NewarBots.Manager.Api;

/// <summary>
/// Names that people see in lists, logs and meetings. Invisible characters would make two names look the same, or a name look empty;
/// control characters, line separators and bidirectional overrides would corrupt the text around it.
/// </summary>
internal static class NameText
{
    public const string InvisibleFault = "must not contain invisible characters";

    public const string ControlFault = "must not contain control characters";

    /// <returns>The rule that the name violates; <see langword="null"/> if it is valid.</returns>
    public static string? FindFault(string name)
    {
        var runes = name.EnumerateRunes().ToList();
        if (runes.Any(IsControl))
            return ControlFault;
        for (var index = 0; index < runes.Count; index++)
        {
            var isJoined = index > 0 && index < runes.Count - 1 && IsVisible(runes[index - 1]) && IsVisible(runes[index + 1]);
            if (IsInvisible(runes[index]) && !(IsJoiner(runes[index]) && isJoined))
                return InvisibleFault;
        }

        return null;
    }

    private static bool IsControl(Rune rune) =>
        Rune.IsControl(rune) || rune == Rune.ReplacementChar || rune.Value is 0x2028 or 0x2029 or (>= 0x202A and <= 0x202E) or (>= 0x2066 and <= 0x2069);

    /// <summary>Format characters, and others that Unicode lets a font show as nothing or as a blank (Default_Ignorable_Code_Point, fillers, U+2800).</summary>
    private static bool IsInvisible(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is UnicodeCategory.Format
        || rune.Value is 0x034F or 0x115F or 0x1160 or 0x17B4 or 0x17B5 or (>= 0x180B and <= 0x180F) or 0x2065 or 0x2800 or 0x3164 or 0xFFA0
            or (>= 0xFFF0 and <= 0xFFF8) or (>= 0xE0000 and <= 0xE0FFF);

    /// <summary>The zero-width joiners, between visible characters only: emoji and several scripts need them.</summary>
    private static bool IsJoiner(Rune rune) => rune.Value is 0x200C or 0x200D;

    private static bool IsVisible(Rune rune) => !IsInvisible(rune) && !Rune.IsWhiteSpace(rune);
}
