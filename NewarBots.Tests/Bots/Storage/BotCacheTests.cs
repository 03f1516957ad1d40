using NewarBots.Contract;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Bots.Storage;

public sealed class BotCacheTests
{
    [Fact]
    public void Cache_keeps_every_active_bot_and_drops_the_oldest_ended_ones()
    {
        var cache = new BotCache();
        var active = Remember(3_000, BotStatus.Queued);
        var ended = Remember(3_000, BotStatus.Completed);

        Assert.All(active, id => Assert.NotNull(cache.Find(id)));
        var left = ended.Where(id => cache.Find(id) is not null).ToList();
        Assert.InRange(left.Count, 0, 200);
        Assert.Equal(ended.TakeLast(left.Count), left);

        List<SessionId> Remember(int count, BotStatus status)
        {
            var bots = Enumerable.Range(0, count).Select(_ => SampleBots.In(status)).OrderBy(bot => bot.Id).ToList();
            bots.ForEach(cache.Remember);
            return [.. bots.Select(bot => bot.Id)];
        }
    }
}
