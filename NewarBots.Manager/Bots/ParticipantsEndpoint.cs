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

    /// <summary>List the participants who spoke</summary>
    /// <remarks>
    /// The participants who spoke so far, in the order of their first words, at most 50. While the bot records, a turn is added once it ends, or after ten seconds
    /// of it. Participants who say nothing are not listed. The manifest has every turn.
    /// </remarks>
    /// <param name="id" example="0199aaaabbbbccccddddeeeeffff0001">The bot's id.</param>
    /// <response code="200">The participants.</response>
    public static async Task<Results<Ok<ParticipantList>, ProblemHttpResult>> GetAsync(SessionId id, BotQueries queries, HttpResponse response) =>
        await queries.LookUpAsync(id, response) is { } bot
            ? TypedResults.Ok(ParticipantList.Of(bot))
            : BotProblems.NotFound();
}

/// <summary>Participants of a call.</summary>
/// <param name="Items">In the order of their first words.</param>
internal sealed record ParticipantList(IReadOnlyList<ParticipantResponse> Items)
{
    public static ParticipantList Of(Bot bot) => new([.. bot.Speakers.Select(speaker => ParticipantResponse.Of(speaker, bot.RecordingAt))]);
}

/// <summary>A participant who spoke.</summary>
/// <param name="Name">The name that the page shows; absent if it is unknown.</param>
/// <param name="Source">The source of the audio, as in the manifest's `speakers`.</param>
/// <param name="SpokenSeconds">Length of all turns.</param>
/// <param name="FirstSpokeAt">When the first turn began.</param>
/// <param name="LastSpokeAt">When the last turn ended.</param>
/// <example>{"name": "Ana", "source": "track:1", "spokenSeconds": 312.46, "firstSpokeAt": "2026-03-01T09:00:12Z", "lastSpokeAt": "2026-03-01T09:30:55Z"}</example>
internal sealed record ParticipantResponse(string? Name, string Source, double SpokenSeconds, DateTimeOffset? FirstSpokeAt, DateTimeOffset? LastSpokeAt)
{
    public static ParticipantResponse Of(Speaker speaker, DateTimeOffset? recordingAt) => new(
        speaker.Name, speaker.Source, speaker.SpokenSeconds.ToMilliseconds(),
        recordingAt?.AddSeconds(speaker.FirstSeconds), recordingAt?.AddSeconds(speaker.LastSeconds));
}
