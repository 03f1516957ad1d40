using System.Diagnostics;
using System.Security.Cryptography;
using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Access;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Bots.Transcripts;

namespace NewarBots.Manager.Bots;

/// <summary>Stores a requested bot and wakes the loop that starts it.</summary>
internal sealed class BotCreator(
    BotCommands commands, IWebhookPolicy webhooks, IOptions<BotCapacityOptions> capacity, IOptions<TranscriptionOptions> transcription,
    LaunchSignal launches, ScheduleSignal schedule, TimeProvider time)
{
    /// <summary>Stands for local callers while no keys exist. No key has this id.</summary>
    private const string WithoutKey = "none";

    /// <param name="request">The validated request.</param>
    /// <param name="body">Its bytes, which identify it among requests with the same key.</param>
    /// <param name="caller">The caller.</param>
    /// <param name="idempotencyKey">The caller's idempotency key, if any.</param>
    public async Task<CreateResult> CreateAsync(CreateBotRequest request, byte[] body, Caller caller, string? idempotencyKey)
    {
        var now = time.GetUtcNow();
        var bot = new Bot
        {
            Id = SessionId.New(time),
            UserId = request.UserId,
            Status = request.StartAt > now ? BotStatus.Scheduled : BotStatus.Queued,
            MeetingUrl = request.MeetingUrl,
            Platform = request.Platform,
            BotName = request.BotName,
            Leave = request.Leave,
            Metadata = request.Metadata,
            CreatedAt = now,
            StartAt = request.StartAt,
            Retention = request.Retention,
            RecordTracks = request.RecordTracks,
            Webhook = request.Webhook is { } webhook ? new(webhook.Url, webhook.Events, webhooks.NewSecret()) : null,
            TranscriptWish = TranscriptChoice.WishOf(request.Transcript, transcription.Value),
            TraceParent = Activity.Current?.Id,
        };
        BotTracing.NameRequest(bot);
        var key = idempotencyKey is null ? null : new IdempotencyKey(caller.Key?.Id ?? WithoutKey, idempotencyKey, Convert.ToHexStringLower(SHA256.HashData(body)));
        var result = await commands.CreateAsync(bot, key, BotLimits.Of(capacity.Value));
        if (result is CreateResult.Created created)
        {
            if (created.Bot.Status is BotStatus.Scheduled)
                schedule.Raise();
            else
                launches.Raise();
        }

        return result;
    }
}
