using NewarBots.Contract;

namespace NewarBots.Manager.Bots;

/// <summary>
/// The people in a bot's call and those who speak, as far as the recorder tells. A part of the bot's record: few entries with short names, because the page that the
/// recorder shows chooses them.
/// </summary>
internal sealed record CallPeople
{
    public const int MaxAttendees = 100;

    public const int MaxSpeakers = 20;

    /// <summary>Later changes are ignored, so that no recorder causes events for ever. Ten hours of talk with a turn every ten seconds need less.</summary>
    public const int MaxChanges = 10_000;

    public static CallPeople None { get; } = new();

    /// <summary>Participants in the order in which the page first showed them.</summary>
    public IReadOnlyList<Attendee> Attendees { get; init; } = [];

    /// <summary>The latest speakers, in the order in which they began.</summary>
    public IReadOnlyList<LatestSpeaker> Speakers { get; init; } = [];

    /// <summary>How often anything has changed.</summary>
    public int Changes { get; init; }

    /// <returns>The same object if nothing changes: a journal may be read again from its beginning.</returns>
    public CallPeople With(Presence presence)
    {
        var (name, at) = (SpeakerList.Shorten(presence.Name), DateTimeOffset.FromUnixTimeMilliseconds(presence.At));
        var index = Attendees.ToList().FindIndex(attendee => attendee.Name == name);
        var known = index < 0 ? null : Attendees[index];
        if (Changes >= MaxChanges || at <= known?.ChangedAt || (known is { LeftAt: null }) == presence.IsPresent || known is null && Attendees.Count == MaxAttendees)
            return this;
        if (known is null)
            return this with { Attendees = [.. Attendees, new(name, at, LeftAt: null, at)], Changes = Changes + 1 };
        var next = known with { LeftAt = presence.IsPresent ? null : at, ChangedAt = at };
        return this with { Attendees = [.. Attendees.Take(index), next, .. Attendees.Skip(index + 1)], Changes = Changes + 1 };
    }

    /// <inheritdoc cref="With(Presence)"/>
    /// <param name="speaking">The change.</param>
    /// <param name="name">The name of the source, if the recorder has told it earlier.</param>
    public CallPeople With(Speaking speaking, string? name)
    {
        var at = DateTimeOffset.FromUnixTimeMilliseconds(speaking.At);
        var known = Speakers.FirstOrDefault(speaker => speaker.Source == speaking.Source);
        if (Changes >= MaxChanges || at <= (known?.EndedAt ?? known?.StartedAt) || (known is { EndedAt: null }) == speaking.IsSpeaking)
            return this;
        name = SpeakerList.Shorten(speaking.Name ?? name);
        var others = Speakers.Where(speaker => speaker != known);
        if (!speaking.IsSpeaking)
            return this with { Speakers = [.. Speakers.Select(speaker => speaker == known ? known with { Name = name ?? known.Name, EndedAt = at } : speaker)], Changes = Changes + 1 };
        // Those who have ceased to speak make room first.
        if (others.Count() >= MaxSpeakers)
            others = others.FirstOrDefault(speaker => speaker.EndedAt is not null) is { } over ? others.Where(speaker => speaker != over) : others.Skip(1);
        return this with { Speakers = [.. others, new(speaking.Source, name, at, EndedAt: null) { LastEndedAt = known?.EndedAt }], Changes = Changes + 1 };
    }

    /// <summary>The recorder has ended, so nobody is known to speak any longer.</summary>
    /// <param name="at">When it ended, if that is known.</param>
    public CallPeople AfterCall(DateTimeOffset? at) => Speakers.All(speaker => speaker.EndedAt is not null)
        ? this
        : this with { Speakers = [.. Speakers.Select(speaker => speaker with { EndedAt = speaker.EndedAt ?? (at > speaker.StartedAt ? at : speaker.StartedAt) })], Changes = Changes + 1 };
}

/// <summary>A participant that the meeting's page showed by name. Participants of the same name are one.</summary>
/// <param name="Name">The name.</param>
/// <param name="JoinedAt">When the page first showed the name.</param>
/// <param name="LeftAt">When the page last showed it; <see langword="null"/> while the participant is in the call, and if the call ended before.</param>
/// <param name="ChangedAt">The time of the latest change. Earlier changes are ignored.</param>
internal sealed record Attendee(string Name, DateTimeOffset JoinedAt, DateTimeOffset? LeftAt, DateTimeOffset ChangedAt);

/// <summary>The latest time that a source spoke.</summary>
/// <param name="Source">As in <see cref="Speech"/>.</param>
/// <param name="Name">The name that the page shows, if it is known.</param>
/// <param name="StartedAt">When the source began to speak.</param>
/// <param name="EndedAt">When it ceased; <see langword="null"/> while it speaks.</param>
internal sealed record LatestSpeaker(string Source, string? Name, DateTimeOffset StartedAt, DateTimeOffset? EndedAt)
{
    /// <summary>When the time before this one ended.</summary>
    public DateTimeOffset? LastEndedAt { get; init; }
}
