using Microsoft.AspNetCore.Http.HttpResults;
using NewarBots.Contract;
using NewarBots.Manager.Api;
using NewarBots.Manager.Api.OpenApi;
using NewarBots.Manager.Bots.Storage;

namespace NewarBots.Manager.Bots;

/// <summary><c>GET /bots/{id}/participants</c>.</summary>
internal static class ParticipantsEndpoint
{
    public static void MapParticipants(this RouteGroupBuilder bot) => bot.MapGet("/participants", GetAsync).WithName("ListParticipants")
        .WithProblems(ProblemTypes.BotNotFound, ProblemTypes.NoSuchCall).WithStaleWarning();

    /// <summary>List the participants</summary>
    /// <remarks>
    /// Up to 100 participants that the page showed by name, and up to 50 who spoke, in the order in which they were first seen or heard. Participants of the same name are
    /// one. While the bot records, a turn is added once it ends, or after ten seconds of it. The manifest has every turn.
    /// </remarks>
    /// <param name="id" example="0199aaaabbbbccccddddeeeeffff0001">The bot's id.</param>
    /// <response code="200">The participants.</response>
    public static async Task<Results<Ok<ParticipantList>, ProblemHttpResult>> GetAsync(SessionId id, BotQueries queries, HttpResponse response) =>
        await queries.LookUpAsync(id, response) is { } bot
            ? TypedResults.Ok(ParticipantList.Of(bot))
            : BotProblems.NotFound();
}

/// <summary>Participants of a call.</summary>
/// <param name="Items">In the order in which they were first seen or heard.</param>
internal sealed record ParticipantList(IReadOnlyList<ParticipantResponse> Items)
{
    public static ParticipantList Of(Bot bot)
    {
        var heard = bot.Speakers.Where(speaker => speaker.Name is not null).ToDictionary(speaker => speaker.Name!);
        var seen = bot.People.Attendees.Select(attendee => ParticipantResponse.Of(bot, attendee, heard.GetValueOrDefault(attendee.Name)));
        var names = bot.People.Attendees.Select(attendee => attendee.Name).ToHashSet();
        var others = bot.Speakers.Where(speaker => speaker.Name is null || !names.Contains(speaker.Name)).Select(speaker => ParticipantResponse.Of(bot, attendee: null, speaker));
        return new([.. seen.Concat(others).OrderBy(item => item.JoinedAt < item.FirstSpokeAt ? item.JoinedAt : item.FirstSpokeAt ?? item.JoinedAt)]);
    }
}

/// <summary>A participant.</summary>
/// <param name="Name">The name that the page shows; absent if it is unknown.</param>
/// <param name="Source">The source of the audio, as in the manifest's `speakers`; absent if the participant has not spoken.</param>
/// <param name="JoinedAt">When the page first showed the name; absent if it never did.</param>
/// <param name="LeftAt">When the page last showed it; absent while the participant is in the call, if the bot left before, and if it is unknown.</param>
/// <param name="IsSpeaking">Whether the participant speaks now.</param>
/// <param name="SpokenSeconds">Length of all turns.</param>
/// <param name="FirstSpokeAt">When the first turn began.</param>
/// <param name="LastSpokeAt">When the last turn ended.</param>
/// <example>{"name": "Ana", "source": "track:1", "joinedAt": "2026-03-01T09:00:09Z", "leftAt": "2026-03-01T09:31:02Z", "isSpeaking": false, "spokenSeconds": 312.46, "firstSpokeAt": "2026-03-01T09:00:12Z", "lastSpokeAt": "2026-03-01T09:30:55Z"}</example>
internal sealed record ParticipantResponse(
    string? Name, string? Source, DateTimeOffset? JoinedAt, DateTimeOffset? LeftAt, bool IsSpeaking, double SpokenSeconds, DateTimeOffset? FirstSpokeAt, DateTimeOffset? LastSpokeAt)
{
    public static ParticipantResponse Of(Bot bot, Attendee? attendee, Speaker? speaker)
    {
        var name = attendee?.Name ?? speaker?.Name;
        return new(
            name, speaker?.Source, attendee?.JoinedAt, attendee?.LeftAt,
            bot.People.Speakers.Any(latest => latest.EndedAt is null && (latest.Source == speaker?.Source || latest.Name is not null && latest.Name == name)),
            (speaker?.SpokenSeconds ?? 0).ToMilliseconds(),
            speaker is null ? null : bot.RecordingAt?.AddMilliseconds(Math.Round(speaker.FirstSeconds * 1000)),
            speaker is null ? null : bot.RecordingAt?.AddMilliseconds(Math.Round(speaker.LastSeconds * 1000)));
    }
}
