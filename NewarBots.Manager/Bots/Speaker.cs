using System.Diagnostics.CodeAnalysis;
using NewarBots.Contract;

namespace NewarBots.Manager.Bots;

/// <summary>A participant who spoke. Times are seconds from the start of the recording.</summary>
/// <param name="Name">The name that the page shows, if it is known.</param>
/// <param name="Source">The source of the audio, as in the manifest. A name may come from several; this is the first.</param>
/// <param name="SpokenSeconds">Length of all turns.</param>
/// <param name="FirstSeconds">Start of the first turn.</param>
/// <param name="LastSeconds">End of the last turn.</param>
internal sealed record Speaker(string? Name, string Source, double SpokenSeconds, double FirstSeconds, double LastSeconds);

/// <summary>The speakers of a bot's record: few, with short names, because the page that the recorder shows chooses them.</summary>
internal static class SpeakerList
{
    private const int Most = 50;
    private const int MaxNameLength = 64;

    /// <summary>The beginning of a long name. Half of a surrogate pair cannot be stored.</summary>
    [return: NotNullIfNotNull(nameof(name))]
    public static string? Shorten(string? name) => name is { Length: > MaxNameLength }
        ? name[..(char.IsHighSurrogate(name[MaxNameLength - 1]) ? MaxNameLength - 1 : MaxNameLength)]
        : name;

    /// <param name="speeches">Turns, or parts of turns, in order.</param>
    public static IReadOnlyList<Speaker> Of(IEnumerable<Speech> speeches) => speeches.Aggregate((IReadOnlyList<Speaker>)[], Add);

    /// <summary>Adds a part of a turn. A journal may be read again from its beginning: a part that is not later than the speaker's last one is ignored.</summary>
    public static IReadOnlyList<Speaker> Add(IReadOnlyList<Speaker> known, Speech speech)
    {
        var name = Shorten(speech.Name);
        var speakers = known.ToList();
        // The page shows names late. Earlier turns of the same source are of the same participant.
        var unnamed = name is null ? null : speakers.Find(speaker => speaker.Name is null && speaker.Source == speech.Source);
        var index = speakers.FindIndex(speaker => name is null ? speaker.Name is null && speaker.Source == speech.Source : speaker.Name == name);
        if (index < 0 && unnamed is not null)
            (index, unnamed) = (speakers.IndexOf(unnamed), null);
        var (length, before) = (speech.EndSeconds - speech.StartSeconds, index < 0 ? null : speakers[index]);
        if (length <= 0 || speech.EndSeconds <= before?.LastSeconds || before is null && speakers.Count == Most)
            return known;
        var next = before is null
            ? new(name, speech.Source, length, speech.StartSeconds, speech.EndSeconds)
            : before with { Name = name, SpokenSeconds = before.SpokenSeconds + length, LastSeconds = speech.EndSeconds };
        if (unnamed is not null)
        {
            next = next with
            {
                SpokenSeconds = next.SpokenSeconds + unnamed.SpokenSeconds,
                FirstSeconds = Math.Min(next.FirstSeconds, unnamed.FirstSeconds),
            };
        }

        if (index < 0)
            speakers.Add(next);
        else
            speakers[index] = next;
        return [.. speakers.Where(speaker => speaker != unnamed)];
    }
}
