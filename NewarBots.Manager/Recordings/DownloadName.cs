using System.Globalization;
using System.Text;
using NewarBots.Manager.Bots;

namespace NewarBots.Manager.Recordings;

/// <summary>
/// The file name of a downloaded recording: <c>2026-11-29 Sales call ACME.mp3</c>, with the date of the recording in UTC and the bot's name.
/// </summary>
internal static class DownloadName
{
    /// <summary>Not allowed in file names of Windows, or with a meaning in some shells.</summary>
    private const string Reserved = "<>:\"/\\|?*";

    /// <param name="bot">The recorded bot.</param>
    /// <param name="extension">Without a dot.</param>
    /// <param name="track">The number of a single track.</param>
    public static string Of(Bot bot, string extension, int? track = null)
    {
        var date = (bot.RecordingAt ?? bot.CreatedAt).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        var suffix = track is null ? string.Empty : string.Create(CultureInfo.InvariantCulture, $", track {track}");
        return $"{date} {Clean(bot.BotName)}".TrimEnd() + $"{suffix}.{extension}";
    }

    private static string Clean(string name)
    {
        var clean = new StringBuilder(name.Length);
        foreach (var letter in name)
            clean.Append(Reserved.Contains(letter, StringComparison.Ordinal) || !IsVisible(letter) ? ' ' : letter);
        // Windows drops dots at the end of a name.
        return string.Join(' ', clean.ToString().Split(' ', StringSplitOptions.RemoveEmptyEntries)).TrimEnd('.');
    }

    private static bool IsVisible(char letter) => char.GetUnicodeCategory(letter)
        is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);
}
