using NewarBots.Contract;

namespace NewarBots.Manager.Bots.Listing;

/// <summary>A page of a list, without the bots themselves.</summary>
/// <param name="Ids">The bots, in order.</param>
/// <param name="Next">The cursor of the next page; <see langword="null"/> on the last page.</param>
/// <param name="Total">Bots that match all filters.</param>
/// <param name="Position">The place of the first bot of the page in the whole list, from 1; 0 if the page is empty.</param>
/// <param name="Counts">By status: bots that match all filters other than the one by status.</param>
internal sealed record BotList(
    IReadOnlyList<SessionId> Ids, string? Next, int Total, int Position, IReadOnlyDictionary<BotStatus, int> Counts)
{
    public static BotList Of(IEnumerable<ListedBot> bots, ListRequest request)
    {
        var counts = Enum.GetValues<BotStatus>().ToDictionary(status => status, _ => 0);
        var comparer = ListPlace.Comparer(request.Order);
        var places = new List<ListPlace>();
        var (total, before) = (0, 0);
        foreach (var bot in bots.Where(request.Matches))
        {
            counts[bot.Status]++;
            if (!request.HasStatus(bot))
                continue;
            total++;
            var place = ListPlace.Of(bot, request.Order);
            if (request.After is { } after && comparer.Compare(place, after) <= 0)
                before++;
            else
                places.Add(place);
        }

        var page = places.Order(comparer).Take(request.Limit).ToList();
        return new(
            [.. page.Select(place => place.Id)], places.Count > page.Count ? page[^1].ToCursor() : null, total, page.Count == 0 ? 0 : before + 1, counts);
    }
}
