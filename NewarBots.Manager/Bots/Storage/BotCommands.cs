using System.Text.Json;
using NewarBots.Contract;
using StackExchange.Redis;

namespace NewarBots.Manager.Bots.Storage;

/// <summary>
/// Every change of a bot. It is a compare-and-set on the record's version, in one script together with the indexes, the claim on the
/// meeting, the messages on the bot's stream, and the event for webhooks. So no reader sees one without the others, several managers can share one
/// Redis, and each message of a recorder is on the stream once.
/// </summary>
internal sealed class BotCommands(BotRecords records, BotMetrics metrics, IBotOutbox webhooks, TimeProvider time)
{
    /// <summary>Sequence numbers kept free below those of the recorder for what the manager announces after the start.</summary>
    private const int AnnouncementsAfterStart = 10;

    private static readonly TimeSpan IdempotencyKept = TimeSpan.FromHours(24);

    /// <summary>
    /// Stores a new bot if nothing prevents it. A queued bot claims its meeting and counts as active; a scheduled one does so in
    /// <see cref="StartAsync"/>.
    /// </summary>
    /// <param name="bot">The new bot.</param>
    /// <param name="idempotency">The request's key with the hash of its body, if the caller sent one.</param>
    /// <param name="limits">How many bots there may be; unlimited if omitted.</param>
    public async Task<CreateResult> CreateAsync(Bot bot, IdempotencyKey? idempotency, BotLimits? limits = null)
    {
        bot = bot with { LastSequence = 1 };
        var webhookEvents = webhooks.EventsOf(before: null, bot);
        var reply = (RedisResult[])(await records.RunAsync(BotScripts.Create, new
        {
            id = bot.Id.ToString(),
            record = BotKeys.Record(bot.Id),
            json = BotRecords.Serialize(bot),
            all = (RedisKey)BotKeys.All,
            changes = (RedisKey)BotKeys.Changes,
            changed = (RedisKey)BotKeys.Changed,
            ofUser = BotKeys.OfUser(bot.UserId),
            active = (RedisKey)BotKeys.Active,
            activeOfUser = BotKeys.ActiveOf(bot.UserId),
            queued = (RedisKey)BotKeys.Queued,
            queuedScore = BotRecords.DueScore(BotStatus.Queued, bot),
            scheduled = (RedisKey)BotKeys.Scheduled,
            scheduledOfUser = BotKeys.ScheduledOf(bot.UserId),
            scheduledScore = BotRecords.DueScore(BotStatus.Scheduled, bot),
            claim = BotKeys.Claim(bot),
            idempotency = idempotency is null ? (RedisKey)string.Empty : BotKeys.Idempotency(idempotency),
            bodyHash = idempotency?.BodyHash ?? string.Empty,
            idempotencySeconds = (long)IdempotencyKept.TotalSeconds,
            userLimit = limits?.OfOneUser ?? RedisValue.EmptyString,
            scheduledLimit = limits?.ScheduledOfOneUser ?? RedisValue.EmptyString,
            recordLimit = limits?.OnRecordOfOneUser ?? RedisValue.EmptyString,
            queueLimit = limits?.Waiting ?? RedisValue.EmptyString,
            places = limits?.Places ?? RedisValue.EmptyString,
            isTooLate = bot.IsTooLate(time.GetUtcNow()),
            events = (RedisKey)RedisNames.EventStream(bot.Id),
            channel = RedisNames.StatusChannel(bot.Id),
            message = Announcement(bot),
            outbox = (RedisKey)BotOutbox.Stream,
            webhookEvents,
        }))!;
        var detail = (string)reply[1]!;
        switch ((string)reply[0]!)
        {
            case "created":
                records.Cache.Remember(bot);
                webhooks.Wake(webhookEvents);
                return new CreateResult.Created(bot);
            case "over quota":
                return new CreateResult.OverQuota();
            case "queue full":
                return new CreateResult.QueueFull();
            case "too many scheduled":
                return new CreateResult.TooManyScheduled();
            case "too many on record":
                return new CreateResult.TooManyOnRecord();
            case "too late":
                return new CreateResult.TooLate();
            case "claimed":
                return new CreateResult.MeetingTaken(SessionId.Parse(detail));
            default:
                var parts = detail.Split(' ');
                if (parts[0] != idempotency!.BodyHash)
                    return new CreateResult.KeyReused();
                return (await records.ReadAsync(SessionId.Parse(parts[1]))).Bot is { } earlier
                    ? new CreateResult.Repeated(earlier)
                    : new CreateResult.KeyReused();
        }
    }

    /// <summary>Queues a scheduled bot that is due: it claims its meeting and counts as active.</summary>
    /// <param name="id">The bot.</param>
    /// <param name="now">A bot that was rescheduled meanwhile and is due later stays scheduled.</param>
    /// <param name="traceParent">The trace context of the start.</param>
    /// <param name="limits">Only the user's quota applies; the place in the queue was promised when the bot was accepted.</param>
    public async Task<StartResult> StartAsync(SessionId id, DateTimeOffset now, string? traceParent, BotLimits limits)
    {
        while (true)
        {
            var (found, version) = await records.ReadAsync(id);
            if (found is not { Status: BotStatus.Scheduled } bot || bot.DueAt > now)
                return new StartResult.NotDue();

            var next = BotLifecycle.Started(bot, traceParent) with { LastSequence = StatusSequence.After(bot.LastSequence) };
            var webhookEvents = webhooks.EventsOf(bot, next);
            var reply = (RedisResult[])(await records.RunAsync(BotScripts.Start, new
            {
                id = id.ToString(),
                record = BotKeys.Record(id),
                changes = (RedisKey)BotKeys.Changes,
                changed = (RedisKey)BotKeys.Changed,
                version,
                json = BotRecords.Serialize(next),
                active = (RedisKey)BotKeys.Active,
                activeOfUser = BotKeys.ActiveOf(bot.UserId),
                queued = (RedisKey)BotKeys.Queued,
                queuedScore = BotRecords.DueScore(BotStatus.Queued, next),
                scheduled = (RedisKey)BotKeys.Scheduled,
                scheduledOfUser = BotKeys.ScheduledOf(bot.UserId),
                claim = BotKeys.Claim(bot),
                userLimit = limits.OfOneUser ?? RedisValue.EmptyString,
                events = (RedisKey)RedisNames.EventStream(id),
                channel = RedisNames.StatusChannel(id),
                message = Announcement(next),
                outbox = (RedisKey)BotOutbox.Stream,
                webhookEvents,
            }))!;
            switch ((string)reply[0]!)
            {
                case "started":
                    records.Cache.Remember(next);
                    webhooks.Wake(webhookEvents);
                    return new StartResult.Started();
                case "claimed":
                    return new StartResult.MeetingTaken(SessionId.Parse((string)reply[1]!));
                case "over quota":
                    return new StartResult.OverQuota();
            }
        }
    }

    /// <summary>Applies <paramref name="change"/> to a record, and again if the record was changed in between.</summary>
    /// <returns>The record afterwards; <see langword="null"/> if none exists.</returns>
    public Task<Bot?> UpdateAsync(SessionId id, Func<Bot, Bot> change) => UpdateAsync(id, bot => new BotChange(change(bot)));

    /// <inheritdoc cref="UpdateAsync(SessionId, Func{Bot, Bot})"/>
    public async Task<Bot?> UpdateAsync(SessionId id, Func<Bot, BotChange> change)
    {
        while (true)
        {
            var (found, version) = await records.ReadAsync(id);
            if (found is not { } bot)
                return null;

            var (next, messages) = change(bot);
            if (next == bot)
                return bot;

            var announces = IsAnnouncedByManager(next.Status) && (next.Status != bot.Status || IsChangedBeforeStart(bot));
            if (announces)
                next = next with { LastSequence = StatusSequence.After(next.LastSequence) };
            var webhookEvents = webhooks.EventsOf(bot, next);
            var isUpdated = (bool)await records.RunAsync(BotScripts.Update, new
            {
                id = id.ToString(),
                record = BotKeys.Record(id),
                changes = (RedisKey)BotKeys.Changes,
                changed = (RedisKey)BotKeys.Changed,
                version,
                json = BotRecords.Serialize(next),
                active = (RedisKey)BotKeys.Active,
                activeOfUser = BotKeys.ActiveOf(bot.UserId),
                hasEnded = next.Status.IsTerminal(),
                isReopened = bot.Status.IsTerminal() && !next.Status.IsTerminal(),
                occupiesMeeting = next.Status is BotStatus.Scheduled || next.OccupiesMeeting,
                ended = (RedisKey)BotKeys.Ended,
                endedScore = BotRecords.EndScore(next),
                expiring = (RedisKey)BotKeys.Expiring,
                expiryScore = BotRecords.ExpiryScore(next),
                queued = (RedisKey)BotKeys.Queued,
                isQueued = next.Status is BotStatus.Queued,
                scheduled = (RedisKey)BotKeys.Scheduled,
                scheduledOfUser = BotKeys.ScheduledOf(bot.UserId),
                wasScheduled = bot.Status is BotStatus.Scheduled,
                scheduledScore = bot.Status is BotStatus.Scheduled ? BotRecords.DueScore(BotStatus.Scheduled, next) : RedisValue.EmptyString,
                claim = BotKeys.Claim(bot),
                events = (RedisKey)RedisNames.EventStream(id),
                channel = RedisNames.StatusChannel(id),
                edits = BotKeys.Edits.ToString(),
                isEdited = !announces && (next.ShownName != bot.ShownName || !ReferenceEquals(next.Metadata, bot.Metadata)),
                messages = string.Join('\n', messages ?? []),
                message = announces ? Announcement(next) : string.Empty,
                outbox = (RedisKey)BotOutbox.Stream,
                transcripts = (RedisKey)BotKeys.Transcripts,
                transcriptDue = BotRecords.TranscriptScore(next),
                transcriptChanges = next.Transcript != bot.Transcript ? BotKeys.TranscriptChanges.ToString() : string.Empty,
                webhookEvents,
            });
            if (isUpdated)
            {
                records.Cache.Remember(next);
                webhooks.Wake(webhookEvents);
                metrics.Changed(bot, next, time.GetUtcNow());
                return next;
            }
        }
    }

    /// <summary>Deletes an ended bot with its indexes, its event stream and its idempotency key, and notifies all managers.</summary>
    public async Task DeleteAsync(Bot bot)
    {
        var idempotency = (string?)await records.Database.HashGetAsync(BotKeys.Record(bot.Id), BotKeys.IdempotencyField) ?? string.Empty;
        await records.RunAsync(BotScripts.Delete, new
        {
            id = bot.Id.ToString(),
            user = bot.UserId.ToString(),
            record = BotKeys.Record(bot.Id),
            events = (RedisKey)RedisNames.EventStream(bot.Id),
            all = (RedisKey)BotKeys.All,
            changed = (RedisKey)BotKeys.Changed,
            ended = (RedisKey)BotKeys.Ended,
            expiring = (RedisKey)BotKeys.Expiring,
            ofUser = BotKeys.OfUser(bot.UserId),
            transcripts = (RedisKey)BotKeys.Transcripts,
            idempotency = (RedisKey)idempotency,
            channel = BotKeys.Deletions.ToString(),
        });
        records.Cache.Forget(bot.Id);
    }

    /// <summary>The recorder announces the statuses from joining to leaving; the manager announces all others.</summary>
    private static bool IsAnnouncedByManager(BotStatus status) => status is < BotStatus.Joining or > BotStatus.Leaving;

    /// <summary>
    /// Changes of a scheduled bot are announced, so that every manager and listener sees them, while sequence numbers below those of the
    /// recorder are left.
    /// </summary>
    private static bool IsChangedBeforeStart(Bot bot) =>
        bot.Status is BotStatus.Scheduled && bot.LastSequence < StatusSequence.FirstOfRecorder - AnnouncementsAfterStart;

    private string Announcement(Bot bot)
    {
        var (reason, detail) = bot is { Status: BotStatus.Scheduled }
            ? (bot.Warning?.Reason, bot.Warning?.Text ?? $"It starts at {bot.StartAt:u}.")
            : (bot.Reason, bot.Error);
        return JsonSerializer.Serialize(
            new StatusMessage(
                bot.Id, bot.Status, time.GetUtcNow().ToUnixTimeMilliseconds(), bot.LastSequence, reason, bot.Chunks,
                bot.RecordedSeconds, bot.AudibleSeconds, bot.Participants, detail),
            ContractJson.Default.StatusMessage);
    }
}
