using System.Text.Json;
using NewarBots.Contract;

namespace NewarBots.Manager.Recordings.Transcripts;

/// <summary>A speech server's answer for one piece. Times are seconds within the piece.</summary>
/// <param name="Text">All of the text, in one line.</param>
internal sealed record SpeechAnswer(string Text)
{
    /// <summary>Nobody says more in a minute.</summary>
    public const int MaxText = 20_000;

    private const int MaxParts = 5_000;

    /// <summary>Servers round times, and pad short audio.</summary>
    private const double Tolerance = 1;

    /// <summary>A segment is no speech if the server is this sure of it, and not sure of its text. Whisper itself uses these limits.</summary>
    private const double NoSpeech = 0.6;
    private const double UnlikelyText = -1;

    /// <summary>Whisper's names of languages begin with letters; a code has two or three of them.</summary>
    private const int MaxLanguage = 30;

    public string? Language { get; init; }

    /// <summary>Parts with times; empty if the server reports none.</summary>
    public IReadOnlyList<SpokenPart> Segments { get; init; } = [];

    public IReadOnlyList<SpokenPart> Words { get; init; } = [];

    /// <summary>The server reported times outside of the audio, which were dropped.</summary>
    public bool HasBadTimes { get; init; }

    /// <param name="json">The body.</param>
    /// <param name="seconds">Length of the audio.</param>
    /// <exception cref="SpeechServerException">The body is no answer.</exception>
    public static SpeechAnswer Parse(ReadOnlyMemory<byte> json, double seconds)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return Parse(document.RootElement, seconds);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            var isPage = json.Span.TrimStart(" \r\n\t\uFEFF"u8).StartsWith("<"u8);
            throw new SpeechServerException(
                isPage
                    ? "The speech server answered with a web page instead of JSON. Check Transcription:Endpoint."
                    : "The speech server's answer is no valid JSON.",
                exception)
            {
                // A proxy answers with a page while the server is away.
                IsTemporary = isPage,
                IsAboutPiece = !isPage,
            };
        }
    }

    private static SpeechAnswer Parse(JsonElement root, double seconds)
    {
        if (root.ValueKind is not JsonValueKind.Object || !root.TryGetProperty("text", out var text) || text.ValueKind is not JsonValueKind.String)
            throw new SpeechServerException("The speech server's answer has no text.") { IsAboutPiece = true };
        var all = Line(text.GetString());
        if (all.Length > MaxText)
            throw new SpeechServerException($"The speech server's text for one piece of speech is longer than {MaxText} characters.") { IsAboutPiece = true };
        var segments = Parts(root, "segments", "text");
        var words = Parts(root, "words", "word");
        if (words.Count == 0 && root.TryGetProperty("segments", out var nested) && nested.ValueKind is JsonValueKind.Array)
            words = [.. nested.EnumerateArray().SelectMany(segment => Parts(segment, "words", "word"))];
        if (segments.Count > MaxParts || words.Count > MaxParts || segments.Concat(words).Sum(part => (long)part.Text.Length) > 2 * MaxText)
            throw new SpeechServerException("The speech server's answer has more words than anybody can speak in its time.") { IsAboutPiece = true };

        var answer = new SpeechAnswer(all) { Language = LanguageOf(root) };
        if (!AreWithin(segments, seconds))
            return answer with { HasBadTimes = true };
        var (spoken, silent) = (segments.Where(segment => !segment.IsNoSpeech).ToList(), segments.Where(segment => segment.IsNoSpeech).ToList());
        words = [.. words.Where(word => !silent.Any(part => Middle(word) >= part.Start && Middle(word) < part.End))];
        answer = answer with
        {
            // If none of the segments has speech, the text is invented.
            Text = segments.Count > 0 && spoken.Count == 0 ? string.Empty : all,
            Segments = spoken,
        };
        return AreWithin(words, seconds) ? answer with { Words = words } : answer with { HasBadTimes = true };
    }

    private static double Middle(SpokenPart part) => (part.Start + part.End) / 2;

    private static bool AreWithin(IReadOnlyList<SpokenPart> parts, double seconds) =>
        parts.All(part => part.Start >= 0 && part.Start <= seconds + Tolerance && part.End >= part.Start);

    private static List<SpokenPart> Parts(JsonElement root, string list, string textName)
    {
        var parts = new List<SpokenPart>();
        if (root.ValueKind is not JsonValueKind.Object || !root.TryGetProperty(list, out var items) || items.ValueKind is not JsonValueKind.Array)
            return parts;
        foreach (var item in items.EnumerateArray())
        {
            if (item.ValueKind is not JsonValueKind.Object || !item.TryGetProperty(textName, out var text) || text.ValueKind is not JsonValueKind.String
                || Number(item, "start") is not { } start || Number(item, "end") is not { } end)
                continue;
            var raw = text.GetString()!;
            if (Line(raw) is not { Length: > 0 } line)
                continue;
            var likelihood = Number(item, "avg_logprob");
            parts.Add(new(start, end, line)
            {
                IsJoined = !char.IsWhiteSpace(raw[0]),
                Confidence = Number(item, "probability") ?? (likelihood is { } logarithm ? Math.Exp(logarithm) : null),
                IsNoSpeech = Number(item, "no_speech_prob") > NoSpeech && likelihood < UnlikelyText,
            });
        }

        return parts;
    }

    private static double? Number(JsonElement item, string name) =>
        item.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.Number && value.TryGetDouble(out var number) && double.IsFinite(number) ? number : null;

    private static string? LanguageOf(JsonElement root) =>
        root.TryGetProperty("language", out var language) && language.ValueKind is JsonValueKind.String
        && language.GetString() is { Length: > 1 and <= MaxLanguage } name && name.All(letter => char.IsAsciiLetter(letter) || letter is '-')
            ? name.ToLowerInvariant()
            : null;

    private static string Line(string? text) =>
        string.Join(' ', DisplayText.Clean(text)!.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
}

/// <summary>A segment or a word.</summary>
/// <param name="Start">In seconds.</param>
/// <param name="End">In seconds.</param>
/// <param name="Text">Without spaces around it.</param>
internal sealed record SpokenPart(double Start, double End, string Text)
{
    public double Middle => (Start + End) / 2;

    /// <summary>The server wrote no space before it: a word that continues another one, or a server that writes none at all.</summary>
    public bool IsJoined { get; init; }

    public double? Confidence { get; init; }

    public bool IsNoSpeech { get; init; }
}
