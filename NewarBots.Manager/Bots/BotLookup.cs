using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Bots.Storage;

namespace NewarBots.Manager.Bots;

/// <summary>Finds the bot that a request names.</summary>
internal static class BotLookup
{
    /// <summary>RFC 7234, 5.5.1.</summary>
    public const string StaleWarning = "110 - \"Response is Stale\"";

    /// <summary>While Redis is unreachable, answers from the cache and marks the response as stale.</summary>
    public static async Task<Bot?> LookUpAsync(this BotQueries queries, SessionId id, HttpResponse response)
    {
        var (bot, isStale) = await queries.LookUpAsync(id);
        if (isStale)
            response.Headers.Warning = StaleWarning;
        return bot;
    }
}
