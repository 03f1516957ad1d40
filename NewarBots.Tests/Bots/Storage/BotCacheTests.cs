using NewarBots.Contract;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Bots.Storage;

public sealed class LastKnownBotsTests
{
    [Fact]
    public void However_many_have_not_ended_all_of_them_are_known_and_of_the_ended_the_oldest_are_forgotten()
    {
        var known = new BotCache();
        var active = Remember(3_000, BotStatus.Queued);
        var ended = Remember(3_000, BotStatus.Completed);

        Assert.All(active, id => Assert.NotNull(known.Find(id)));
        var left = ended.Where(id => known.Find(id) is not null).ToList();
        Assert.InRange(left.Count, 0, 200);
        Assert.Equal(ended.TakeLast(left.Count), left);

        List<SessionId> Remember(int count, BotStatus status)
        {
            var bots = Enumerable.Range(0, count).Select(_ => SampleBots.In(status)).OrderBy(bot => bot.Id).ToList();
            bots.ForEach(known.Remember);
            return [.. bots.Select(bot => bot.Id)];
        }
    }
}
