using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.OpenApi;
using NewarBots.Contract;
using NewarBots.Manager.Access;
using NewarBots.Manager.Api;
using NewarBots.Manager.Api.OpenApi;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Hosting;

namespace NewarBots.Manager.Bots.Listing;

internal static class ListEndpoint
{
    public static void MapList(this RouteGroupBuilder bots) => bots.MapGet("", ListAsync).WithName("ListBots")
        .WithProblems(ProblemTypes.InvalidRequest).WithStaleWarning()
        .WithMetadata(new QueryPrefix(ListRequest.MetadataPrefix))
        .AddOpenApiOperationTransformer((operation, _, _) => AddMetadataParameter(operation));

    /// <summary>List bots</summary>
    /// <remarks>
    /// Returns one page of the bots that match all given filters, with the number of all of them and counts by status. If Redis is unavailable, only bots
    /// that the manager has seen lately are listed, and the header `Warning` says so.
    /// </remarks>
    /// <param name="q" example="weekly">
    /// Text in the bot's name, meeting address, metadata, status, reason, user, or in the names of participants who spoke, in any case; or a bot's whole id.
    /// </param>
    /// <param name="status">Only bots with this status. Repeat it for several.</param>
    /// <param name="userId" example="default">Only bots of this user. Default: all bots that the caller may see.</param>
    /// <param name="from" example="2026-03-01T00:00:00Z">Only bots that are due at this time or later: their start time counts, or else the time of the request.</param>
    /// <param name="to" example="2026-03-02T00:00:00Z">Only bots that are due before this time.</param>
    /// <param name="meetingUrl" example="https://meet.google.com/abc-defg-hij">Only bots of this meeting.</param>
    /// <param name="sort" example="activity">
    /// `newest` (default), `oldest`, `name`, `longest` (recording), or `activity`: active bots, then scheduled ones by start, then ended ones by end.
    /// </param>
    /// <param name="limit" example="20">Maximum number of bots on the page. Default: 50.</param>
    /// <param name="cursor" example="0199aaaabbbbccccddddeeeeffff0001">`nextCursor` of the previous page of the same list.</param>
    /// <response code="200">A page of bots.</response>
    public static async Task<Results<Ok<BotPage>, ProblemHttpResult>> ListAsync(
        [MaxLength(ListRequest.MaxTextLength)] string? q, [ParsedAs(typeof(BotStatus[]))] string[]? status, [ParsedAs(typeof(UserId))] string? userId,
        [ParsedAs(typeof(DateTimeOffset))] string? from, [ParsedAs(typeof(DateTimeOffset))] string? to, [ParsedAs(typeof(Uri))] string? meetingUrl,
        [ParsedAs(typeof(BotOrder))] string? sort, [ParsedAs(typeof(int)), Range(1, ListRequest.MaxLimit)] string? limit, string? cursor,
        Caller caller, BotIndex index, BotQueries queries, HttpRequest request, HttpResponse response, CancellationToken cancellation)
    {
        var (answer, isStale) = await FindAsync(request.Query, caller, index, queries, cancellation);
        if (isStale)
            response.Headers.Warning = BotLookup.StaleWarning;
        return answer;
    }

    /// <returns>The page, and whether it is from what this manager has seen lately, because Redis is unavailable.</returns>
    public static async Task<(Results<Ok<BotPage>, ProblemHttpResult> Answer, bool IsStale)> FindAsync(
        IQueryCollection query, Caller caller, BotIndex index, BotQueries queries, CancellationToken cancellation)
    {
        var (wanted, faults) = ListRequest.Read(query, caller);
        if (wanted is null)
            return (ApiProblems.InvalidRequest(faults), false);
        try
        {
            await index.RefreshAsync(cancellation);
            var list = BotList.Of(index.Bots, wanted);
            return (TypedResults.Ok(BotPage.Of(list, await queries.FindAsync(list.Ids))), false);
        }
        catch (Exception exception) when (exception.IsRedisUnavailable())
        {
            var known = queries.Cached().ToDictionary(bot => bot.Id);
            var list = BotList.Of(known.Values.Select(ListedBot.Of), wanted);
            return (TypedResults.Ok(BotPage.Of(list, list.Ids.Select(id => known[id]))), true);
        }
    }

    /// <summary>Parameters with names of the caller's choice: an object that is written as one parameter for each of its members.</summary>
    private static Task AddMetadataParameter(OpenApiOperation operation)
    {
        var status = operation.Parameters!.OfType<OpenApiParameter>().First(parameter => parameter.Name is "status");
        status.Example = new JsonArray("recording", "waiting");
        operation.Parameters!.Add(new OpenApiParameter
        {
            Name = "metadata",
            In = ParameterLocation.Query,
            Description = "`metadata.KEY=VALUE`: only bots whose metadata has exactly this entry. Several must all match.",
            Style = ParameterStyle.Form,
            Explode = true,
            Schema = new OpenApiSchema { Type = JsonSchemaType.Object, AdditionalProperties = new OpenApiSchema { Type = JsonSchemaType.String } },
            Example = new JsonObject { [$"{ListRequest.MetadataPrefix}case"] = "42" },
        });
        return Task.CompletedTask;
    }
}

/// <summary>A page of bots.</summary>
/// <param name="Items">The bots, in the requested order.</param>
/// <param name="NextCursor">The cursor of the next page; absent on the last page.</param>
/// <param name="Total">Number of bots that match all filters.</param>
/// <param name="Position">The place of the first item in the whole list, from 1; 0 if the page is empty.</param>
/// <param name="Counts">Number of bots by status, all statuses included. They match all filters other than `status`.</param>
internal sealed record BotPage(
    IReadOnlyList<BotResponse> Items, string? NextCursor, int Total, int Position, IReadOnlyDictionary<string, int> Counts)
{
    public static BotPage Of(BotList list, IEnumerable<Bot> bots) => new(
        [.. bots.Select(BotResponse.Of)], list.Next, list.Total, list.Position, list.Counts.ToDictionary(count => WireWord.Of(count.Key), count => count.Value));
}
