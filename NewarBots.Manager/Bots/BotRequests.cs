using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;
using NewarBots.Manager.Access;
using NewarBots.Manager.Api;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Bots.Transcripts;
using NewarBots.Manager.Hosting;

namespace NewarBots.Manager.Bots;

/// <summary>Accepts requests for bots, or says why not.</summary>
internal sealed class BotRequests(
    BotCreator creator, MeetingUrlPolicy policy, IWebhookPolicy webhooks, IOptions<BotCapacityOptions> capacity, IOptions<TranscriptionOptions> transcription,
    StorageCheck storage, TimeProvider time)
{
    /// <param name="body">The body of <c>POST /bots</c>.</param>
    /// <param name="idempotencyKey">The caller's idempotency key, if any.</param>
    /// <param name="caller">The caller.</param>
    /// <param name="cancellation">Ends the check of the storage.</param>
    public async Task<Results<Accepted<BotResponse>, ProblemHttpResult>> AcceptAsync(
        byte[] body, string? idempotencyKey, Caller caller, CancellationToken cancellation)
    {
        if (idempotencyKey is { Length: 0 or > BotEndpoints.MaxIdempotencyKeyLength })
            return ApiProblems.InvalidRequest("Idempotency-Key", $"must have 1 to {BotEndpoints.MaxIdempotencyKeyLength} characters");
        var (wanted, faults) = CreateBotRequest.Read(body, policy, webhooks, caller, time.GetUtcNow());
        if (wanted is null)
            return ApiProblems.InvalidRequest(faults);
        if (TranscriptChoice.FindFault(wanted.Transcript, transcription.Value) is { } unavailable)
            return ApiProblems.InvalidRequest("transcript.enabled", unavailable);

        // A scheduled bot writes nothing yet.
        if (!(wanted.StartAt > time.GetUtcNow()) && await storage.FindFaultAsync(cancellation) is { } fault)
            return BotProblems.StorageUnavailable(fault);

        var limits = capacity.Value;
        return await creator.CreateAsync(wanted, body, caller, idempotencyKey) switch
        {
            CreateResult.Created created => Accepted(created.Bot),
            CreateResult.Repeated repeated => Accepted(repeated.Bot),
            CreateResult.MeetingTaken taken => BotProblems.MeetingTaken(taken.Holder),
            CreateResult.OverQuota => BotProblems.OverQuota(wanted.UserId, limits.MaxConcurrentBotsPerUser),
            CreateResult.TooManyScheduled => BotProblems.TooManyScheduled(wanted.UserId, limits.MaxScheduledBotsPerUser),
            CreateResult.TooManyOnRecord => BotProblems.TooManyOnRecord(wanted.UserId, limits.MaxBotsPerUser),
            CreateResult.TooLate => BotProblems.StartsTooLate(),
            CreateResult.QueueFull => BotProblems.QueueFull(limits.MaxQueuedBots),
            _ => BotProblems.IdempotencyKeyReused(),
        };
    }

    /// <summary>Only this response has the secret of the bot's own webhook.</summary>
    private static Accepted<BotResponse> Accepted(Bot bot) =>
        TypedResults.Accepted($"/bots/{bot.Id}", BotResponse.Of(bot) with { Webhook = BotWebhookResponse.WithSecret(bot) });
}
