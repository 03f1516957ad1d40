using NewarBots.Contract;

namespace NewarBots.Manager.Bots.Events;

/// <summary>The events about participants and speakers: the differences between two states of a bot's record.</summary>
internal static class PeopleEvents
{
    public const string Joined = "participant.joined";

    public const string Left = "participant.left";

    public const string SpeakerStarted = "speaker.started";

    public const string SpeakerStopped = "speaker.stopped";

    public static IReadOnlyList<string> Types { get; } = [Joined, Left, SpeakerStarted, SpeakerStopped];

    /// <summary>The events from one state to a later one, in the order of their times. A person who has changed several times in between has the events of the last change only.</summary>
    public static IReadOnlyList<(string Type, PersonChange Data)> Between(SessionId id, CallPeople before, CallPeople after) =>
        ReferenceEquals(before, after) || before.Changes == after.Changes
            ? []
            : [.. OfAttendees(id, before, after).Concat(OfSpeakers(id, before, after)).OrderBy(change => change.Data.At)];

    private static IEnumerable<(string Type, PersonChange Data)> OfAttendees(SessionId id, CallPeople before, CallPeople after)
    {
        var known = before.Attendees.ToDictionary(attendee => attendee.Name);
        foreach (var attendee in after.Attendees)
        {
            var earlier = known.GetValueOrDefault(attendee.Name);
            if (earlier is null)
                yield return (Joined, new(id, attendee.JoinedAt, attendee.Name, Source: null));
            else if (earlier.LeftAt is not null && attendee.LeftAt is null)
                yield return (Joined, new(id, attendee.ChangedAt, attendee.Name, Source: null));
            if (attendee.LeftAt is { } leftAt && earlier?.LeftAt is null)
                yield return (Left, new(id, leftAt, attendee.Name, Source: null));
        }
    }

    private static IEnumerable<(string Type, PersonChange Data)> OfSpeakers(SessionId id, CallPeople before, CallPeople after)
    {
        var known = before.Speakers.ToDictionary(speaker => speaker.Source);
        foreach (var speaker in after.Speakers)
        {
            var earlier = known.GetValueOrDefault(speaker.Source);
            var isNew = earlier?.StartedAt != speaker.StartedAt;
            if (isNew && earlier is { EndedAt: null })
                yield return (SpeakerStopped, new(id, speaker.LastEndedAt ?? speaker.StartedAt, earlier.Name ?? speaker.Name, speaker.Source));
            if (isNew)
                yield return (SpeakerStarted, new(id, speaker.StartedAt, speaker.Name, speaker.Source));
            if (speaker.EndedAt is { } endedAt && (isNew || earlier?.EndedAt is null))
                yield return (SpeakerStopped, new(id, endedAt, speaker.Name, speaker.Source));
            known.Remove(speaker.Source);
        }

        // Too many others spoke since.
        foreach (var forgotten in known.Values.Where(speaker => speaker.EndedAt is null))
            yield return (SpeakerStopped, new(id, after.Speakers.Count > 0 ? after.Speakers[^1].StartedAt : forgotten.StartedAt, forgotten.Name, forgotten.Source));
    }
}

/// <summary>A participant joined or left, or somebody began or ceased to speak.</summary>
/// <param name="Id">The bot's id.</param>
/// <param name="At">When it happened.</param>
/// <param name="Name">The name that the page shows; absent if it is unknown.</param>
/// <param name="Source">The source of a speaker's audio, as in the manifest's `speakers`.</param>
internal sealed record PersonChange(SessionId Id, DateTimeOffset At, string? Name, string? Source);
