using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Storage;

namespace NewarBots.Manager.Tracking;

/// <summary>
/// Applies what a recorder wrote to its journal to its bot's record and event stream, from the last position read. The position changes in the same
/// step, so each message is applied once, also if several managers read. A journal that is read again from its beginning does no harm: a message
/// that is not newer than the record's <see cref="Bot.LastSequence"/> is not appended again.
/// </summary>
internal sealed partial class BotFollower(BotCommands commands, StorageLayout storage, TimeProvider time, ILogger<BotFollower> logger)
{
    /// <summary>Clocks of two machines may differ by this.</summary>
    private static readonly TimeSpan ClockTolerance = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan LogInterval = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<SessionId, long> _logged = new();

    /// <summary>Reads the next part of a live recorder's journal. At most <see cref="JournalReader.PartBytes"/>, so that no bot holds up the others.</summary>
    /// <returns>The updated record, or <see langword="null"/> if there is none; and whether there may be more to read.</returns>
    public Task<(Bot? Bot, bool HasMore)> FollowAsync(SessionId id) => ReadAsync(id, isComplete: false);

    /// <summary>Reads the rest of the journal of a recorder that has exited, or the whole journal of a bot whose record was lost.</summary>
    /// <returns>The updated record; <see langword="null"/> if there is none.</returns>
    /// <exception cref="IOException">The disk cannot be read.</exception>
    public async Task<Bot?> ReadToEndAsync(SessionId id)
    {
        // Ends even if another process still appends to the journal.
        var limit = JournalFile.MaxBytes / JournalReader.PartBytes + 1;
        Bot? bot;
        bool hasMore;
        do
            (bot, hasMore) = await ReadAsync(id, isComplete: true);
        while (hasMore && bot is not null && limit-- > 0);
        return bot;
    }

    private async Task<(Bot? Bot, bool HasMore)> ReadAsync(SessionId id, bool isComplete)
    {
        var hasMore = false;
        var bot = await commands.UpdateAsync(id, known =>
        {
            hasMore = false;
            if (known.Status.IsTerminal())
                return new(known);
            try
            {
                var part = JournalReader.Read(storage, known.UserId, id, known.Journal, isComplete);
                hasMore = part.HasMore;
                return Apply(known, part);
            }
            // The end of a bot waits instead: without the rest of the journal, it would get the wrong reason.
            catch (IOException exception) when (!isComplete)
            {
                if (MayLog(id))
                    Log.Unreadable(logger, id, exception.Message);
                return new(known);
            }
        });
        return (bot, hasMore);
    }

    private BotChange Apply(Bot known, JournalPart part)
    {
        var bot = known;
        var messages = new List<string>();
        var ignored = 0;
        foreach (var line in part.Lines)
        {
            var read = Journal.TryParse(line);
            if (read?.Status is not { } status || status.SessionId != bot.Id)
            {
                // Most other lines describe the audio, which is read at the end.
                ignored += read is null or { Status: not null } ? 1 : 0;
                if (read?.Speech is { } speech)
                    bot = BotLifecycle.Heard(bot, speech);
                if (read?.Presence is { } presence)
                    bot = BotLifecycle.Seen(bot, presence with { At = PlausibleTime(bot, presence.At) });
                if (read?.Speaking is { } speaking)
                    bot = BotLifecycle.Spoke(bot, speaking with { At = PlausibleTime(bot, speaking.At) });
                continue;
            }

            var message = status with { Timestamp = PlausibleTime(bot, status.Timestamp) };
            var next = BotLifecycle.StatusReceived(bot, message);
            if (next.LastSequence > bot.LastSequence)
            {
                var json = JsonSerializer.Serialize(message, ContractJson.Default.StatusMessage);
                if (EventBudget.Take(bot, next, message.Timestamp, Encoding.UTF8.GetByteCount(json)) is { } position)
                {
                    messages.Add(json);
                    next = next with { Journal = position };
                }
            }

            bot = next;
        }

        if (ignored > 0 && MayLog(known.Id))
            Log.Ignored(logger, known.Id, ignored, part.Lines.Count);
        return new(bot with { Journal = bot.Journal with { Offset = part.Offset, Restarts = part.Restarts } }, messages);
    }

    /// <summary>Whether nothing was logged about this bot for a minute: a recorder can cause many lines, and must not flood the log.</summary>
    private bool MayLog(SessionId id)
    {
        var now = time.GetTimestamp();
        if (_logged.TryGetValue(id, out var at) && time.GetElapsedTime(at, now) < LogInterval)
            return false;
        foreach (var old in _logged.Where(logged => time.GetElapsedTime(logged.Value, now) >= LogInterval))
            _logged.TryRemove(old);
        _logged[id] = now;
        return true;
    }

    /// <summary>A recorder's time, between the bot's request and now.</summary>
    private long PlausibleTime(Bot bot, long milliseconds)
    {
        var (now, at) = (time.GetUtcNow(), DateTimeOffset.FromUnixTimeMilliseconds(milliseconds));
        return (at < bot.CreatedAt - ClockTolerance ? bot.CreatedAt : at > now + ClockTolerance ? now : at).ToUnixTimeMilliseconds();
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Ignored {Count} of {Lines} journal lines of bot {SessionId}: they are incomplete, implausible, or not of this bot. More of them are logged at most once a minute")]
        public static partial void Ignored(ILogger logger, SessionId sessionId, int count, int lines);

        [LoggerMessage(LogLevel.Warning, "The journal of bot {SessionId} cannot be read, will retry: {Error}")]
        public static partial void Unreadable(ILogger logger, SessionId sessionId, string error);
    }
}
