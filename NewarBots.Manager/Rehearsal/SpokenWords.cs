using System.Text;
using System.Text.Json;

namespace NewarBots.Manager.Rehearsal;

/// <summary>
/// Participants who speak words instead of tones: one word begins in each whole second of the meeting. <c>eng/spoken-words</c> generates the audio. A
/// page loads it as a script, because its content security policy allows nothing else.
/// </summary>
internal static class SpokenWords
{
    /// <summary>Name of the page's script.</summary>
    public const string Script = "spoken-words.js";

    /// <summary>Two who speak in the same second are this many words apart.</summary>
    private const int Apart = 5;

    private const int Voices = 4;

    /// <summary>In the order in which each voice's file has them, one in each second.</summary>
    public static IReadOnlyList<string> All { get; } = [.. Encoding.UTF8.GetString(Read("words.txt")).Split('\n', StringSplitOptions.RemoveEmptyEntries)];

    /// <param name="participant">The participant's number.</param>
    /// <param name="second">Whole seconds since the start of the meeting.</param>
    public static string At(int participant, long second) => All[(int)((second + (Apart * participant)) % All.Count)];

    /// <summary>Exports the voices in the order of the participants: where each begins in second 0, its Ogg Opus file, and its length.</summary>
    public static string ReadScript() => $"export default {JsonSerializer.Serialize(
        Enumerable.Range(0, Voices).Select(voice => new { Begin = Apart * voice % All.Count, Seconds = All.Count, Ogg = Read($"voice-{voice}.ogg") }), JsonSerializerOptions.Web)};\n";

    private static byte[] Read(string file)
    {
        using var stream = typeof(SpokenWords).Assembly.GetManifestResourceStream($"rehearsal/words/{file}")
            ?? throw new InvalidOperationException($"The embedded resource rehearsal/words/{file} is missing.");
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        return content;
    }
}
