using System.Text.Json;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using StackExchange.Redis;

namespace NewarBots.Manager.Launching;

/// <summary>
/// Tells recorders the names of the other bots in their meeting (<see cref="RedisNames.BotNamesCommand"/>). A bot may have any name, and without
/// this, two of them would take each other for people and stay in an empty call. Only bots in the call are named: a bot that is not could have the name
/// of a participant, who would then be taken for it.
/// </summary>
internal sealed class CompanionAnnouncer(IConnectionMultiplexer redis, TimeProvider time)
{
    /// <summary>A recorder misses a command while it is not connected, and a manager that restarts does not know what was sent.</summary>
    private static readonly TimeSpan RepeatInterval = TimeSpan.FromSeconds(30);

    private Dictionary<SessionId, (string Command, BotStatus Status, DateTimeOffset At)> _sent = [];

    /// <summary>Sends what is new to each bot, or was sent long ago. Not thread-safe.</summary>
    /// <param name="bots">All bots that have left the queue and not ended.</param>
    /// <exception cref="RedisException">Redis is unreachable.</exception>
    public async Task AnnounceAsync(IEnumerable<Bot> bots)
    {
        var now = time.GetUtcNow();
        var recorders = bots.Where(bot => bot is { OccupiesMeeting: true, AwaitsContainer: false, Status: < BotStatus.Leaving }).ToList();
        var sent = new Dictionary<SessionId, (string Command, BotStatus Status, DateTimeOffset At)>();
        foreach (var meeting in recorders.GroupBy(bot => MeetingIdentity.Of(bot.MeetingUrl)))
        {
            foreach (var bot in meeting)
            {
                string[] names = [.. meeting.Where(other => other.Id != bot.Id && other.Status is BotStatus.Recording).Select(other => other.BotName).Order(StringComparer.Ordinal)];
                var wasSent = _sent.TryGetValue(bot.Id, out var last);
                // A bot that was always alone needs no command.
                if (names.Length == 0 && !wasSent)
                    continue;
                var command = RedisNames.BotNamesCommand + JsonSerializer.Serialize(names, ContractJson.Default.StringArray);
                // A recorder whose status changed has connected since.
                if (!wasSent || last.Command != command || last.Status != bot.Status || now - last.At >= RepeatInterval)
                {
                    await redis.GetSubscriber().PublishAsync(RedisChannel.Literal(RedisNames.CommandChannel(bot.Id)), command, CommandFlags.FireAndForget);
                    last = (command, bot.Status, now);
                }

                sent[bot.Id] = last;
            }
        }

        _sent = sent;
    }
}
