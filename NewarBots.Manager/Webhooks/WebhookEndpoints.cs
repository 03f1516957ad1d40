using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;
using NewarBots.Contract;
using NewarBots.Manager.Access;
using NewarBots.Manager.Api;
using NewarBots.Manager.Api.OpenApi;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Storage;

namespace NewarBots.Manager.Webhooks;

/// <summary>Manage webhooks and their messages.</summary>
internal static class WebhookEndpoints
{
    public const int MaxPerUser = 20;
    private const int MaxBodyBytes = 8 * 1024;
    private const int DefaultPageSize = 20;
    private const int MaxPageSize = 100;

    /// <summary>Time to update the receiver.</summary>
    private static readonly TimeSpan SecretOverlap = TimeSpan.FromHours(24);

    public static void MapWebhooks(this IEndpointRouteBuilder routes)
    {
        var webhooks = routes.MapGroup("/webhooks").WithTags("Webhooks").RejectUnknownParameters();
        webhooks.MapPost("", CreateAsync).WithName("CreateWebhook").Accepts<CreateWebhookRequest>("application/json").WithProblems(
            ProblemTypes.InvalidRequest, ProblemTypes.RequestTimeout, ProblemTypes.UnsupportedMediaType, ProblemTypes.TooManyWebhooks, ProblemTypes.ManagerBusy);
        webhooks.MapGet("", List).WithName("ListWebhooks").WithProblems(ProblemTypes.InvalidRequest);

        var webhook = webhooks.MapGroup("/{id}");
        webhook.MapGet("", Get).WithName("GetWebhook").WithProblems(ProblemTypes.WebhookNotFound);
        webhook.MapDelete("", DeleteAsync).WithName("DeleteWebhook").WithProblems(ProblemTypes.WebhookNotFound, ProblemTypes.ManagerBusy);
        webhook.MapPost("/secret", ChangeSecretAsync).WithName("ChangeWebhookSecret").WithProblems(ProblemTypes.WebhookNotFound, ProblemTypes.ManagerBusy);
        webhook.MapPost("/test", TestAsync).WithName("TestWebhook")
            .WithProblems(ProblemTypes.WebhookNotFound, ProblemTypes.WebhookDisabled, ProblemTypes.DeliveryNotFound);
        webhook.MapGet("/deliveries", ListDeliveriesAsync).WithName("ListDeliveries").WithProblems(ProblemTypes.InvalidRequest, ProblemTypes.WebhookNotFound);
        webhook.MapPost("/deliveries/{deliveryId}/redeliver", RedeliverAsync).WithName("Redeliver")
            .WithProblems(ProblemTypes.WebhookNotFound, ProblemTypes.WebhookDisabled, ProblemTypes.DeliveryNotFound);
    }

    /// <summary>Create a webhook</summary>
    /// <remarks>
    /// Sends a message whenever the status of one of the user's bots changes, signed according to the Standard Webhooks specification. The secret is
    /// returned only once.
    /// </remarks>
    /// <response code="201">The webhook, with its secret.</response>
    public static async Task<Results<Created<WebhookResponse>, ProblemHttpResult>> CreateAsync(
        HttpRequest request, Caller caller, WebhookFiles files, IWebhookPolicy policy, TimeProvider time, CancellationToken cancellation)
    {
        if (!request.HasJsonContentType())
            return ApiProblems.UnsupportedMediaType();
        if (await RequestBody.ReadAsync(request, MaxBodyBytes, cancellation) is not { } body)
            return RequestBody.TooLong(MaxBodyBytes);
        var (wantedWebhook, faults) = RequestBody.Read(body, (root, list) => CreateWebhookRequest.Read(root, caller, policy, list));
        if (wantedWebhook is null)
            return ApiProblems.InvalidRequest(faults);
        var webhook = new Webhook
        {
            Id = $"wh_{SessionId.New(time)}",
            UserId = wantedWebhook.UserId!.Value,
            Url = wantedWebhook.Url,
            Events = wantedWebhook.Events ?? [],
            Description = wantedWebhook.Description,
            CreatedAt = time.GetUtcNow(),
            Secret = policy.NewSecret(),
        };
        return await files.AddAsync(webhook, MaxPerUser, cancellation)
            ? TypedResults.Created($"/webhooks/{webhook.Id}", WebhookResponse.WithSecret(webhook))
            : WebhookProblems.TooMany(webhook.UserId);
    }

    /// <summary>List webhooks</summary>
    /// <remarks>Returns all webhooks that the caller may see, oldest first, without their secrets.</remarks>
    /// <param name="userId" example="default">Only webhooks of this user. Default: all that the caller may see.</param>
    /// <response code="200">The webhooks.</response>
    public static Results<Ok<WebhookList>, ProblemHttpResult> List(Caller caller, WebhookFiles files, [ParsedAs(typeof(UserId))] string? userId)
    {
        var (user, fault) = caller.ResolveUser(userId);
        return fault is null
            ? TypedResults.Ok(new WebhookList([.. files.All.Where(webhook => user is null || webhook.UserId == user).Select(WebhookResponse.Of)]))
            : ApiProblems.InvalidRequest("userId", fault);
    }

    /// <summary>Get a webhook</summary>
    /// <remarks>Returns the webhook, without its secret.</remarks>
    /// <param name="id" example="wh_0199aaaabbbbccccddddeeeeffff0002">The webhook's id.</param>
    /// <response code="200">The webhook.</response>
    public static Results<Ok<WebhookResponse>, ProblemHttpResult> Get(string id, Caller caller, WebhookFiles files) =>
        Find(id, caller, files) is { } webhook ? TypedResults.Ok(WebhookResponse.Of(webhook)) : WebhookProblems.NotFound();

    /// <summary>Delete a webhook</summary>
    /// <remarks>Also deletes its messages, including those waiting for a retry.</remarks>
    /// <param name="id" example="wh_0199aaaabbbbccccddddeeeeffff0002">The webhook's id.</param>
    /// <response code="204">The webhook is deleted.</response>
    public static async Task<Results<NoContent, ProblemHttpResult>> DeleteAsync(
        string id, Caller caller, WebhookFiles files, DeliveryStore deliveries, CancellationToken cancellation)
    {
        if (Find(id, caller, files) is not { } webhook)
            return WebhookProblems.NotFound();
        // In this order, so that the request can be repeated if Redis is unavailable.
        await deliveries.DeleteAllAsync(webhook);
        await files.RemoveAsync(id, cancellation);
        return TypedResults.NoContent();
    }

    /// <summary>Replace a webhook's secret</summary>
    /// <remarks>For 24 hours, messages are signed with both secrets, so that receivers can switch without losing messages.</remarks>
    /// <param name="id" example="wh_0199aaaabbbbccccddddeeeeffff0002">The webhook's id.</param>
    /// <response code="200">The webhook, with its new secret.</response>
    public static async Task<Results<Ok<WebhookResponse>, ProblemHttpResult>> ChangeSecretAsync(
        string id, Caller caller, WebhookFiles files, TimeProvider time, CancellationToken cancellation)
    {
        if (Find(id, caller, files) is null)
            return WebhookProblems.NotFound();
        var changed = await files.ChangeAsync(
            id,
            webhook => webhook with
            {
                Secret = WebhookSignature.NewSecret(),
                PreviousSecret = webhook.Secret,
                PreviousSecretUntil = time.GetUtcNow() + SecretOverlap,
            },
            cancellation);
        return changed is null ? WebhookProblems.NotFound() : TypedResults.Ok(WebhookResponse.WithSecret(changed));
    }

    /// <summary>Test a webhook</summary>
    /// <remarks>Sends a message of the type `webhook.test`.</remarks>
    /// <param name="id" example="wh_0199aaaabbbbccccddddeeeeffff0002">The webhook's id.</param>
    /// <response code="202">The message is being sent.</response>
    public static async Task<Results<Accepted<DeliveryResponse>, ProblemHttpResult>> TestAsync(
        string id, Caller caller, WebhookFiles files, DeliveryStore deliveries, WebhookOutbox outbox, TimeProvider time)
    {
        if (Find(id, caller, files) is not { } webhook)
            return WebhookProblems.NotFound();
        if (webhook.DisabledAt is not null)
            return WebhookProblems.Disabled();
        var now = time.GetUtcNow();
        var messageId = DeliveryStore.NewId(now);
        await deliveries.EnqueueAsync([webhook], WebhookEvent.ForTest(webhook, now), messageId, now);
        outbox.WakeUp.Raise();
        return await deliveries.FindAsync(webhook, messageId) is { } delivery ? Accepted(webhook, delivery) : WebhookProblems.DeliveryNotFound();
    }

    /// <summary>List a webhook's messages</summary>
    /// <remarks>Returns messages with all attempts, newest first. Messages are kept for 7 days, the oldest for less if all messages of the user take too much space.</remarks>
    /// <param name="id" example="wh_0199aaaabbbbccccddddeeeeffff0002">The webhook's id.</param>
    /// <param name="limit" example="20">Maximum number of messages on the page. Default: 20.</param>
    /// <param name="cursor" example="msg_1772356272000_000000">`nextCursor` of the previous page.</param>
    /// <response code="200">A page of messages.</response>
    public static async Task<Results<Ok<DeliveryPage>, ProblemHttpResult>> ListDeliveriesAsync(
        string id, [ParsedAs(typeof(int)), Range(1, MaxPageSize)] string? limit, string? cursor, Caller caller, WebhookFiles files, BotQueries queries, DeliveryStore deliveries,
        CancellationToken cancellation)
    {
        var size = DefaultPageSize;
        if (limit is not null
            && (!int.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out size) || size is < 1 or > MaxPageSize))
            return ApiProblems.InvalidRequest("limit", $"must be a number from 1 to {MaxPageSize}");
        if (cursor is not null && !DeliveryStore.IsId(cursor))
            return ApiProblems.InvalidRequest("cursor", "must be a nextCursor returned by this endpoint");
        if (await FindAsync(id, caller, files, queries) is not { } webhook)
            return WebhookProblems.NotFound();
        var found = await deliveries.ListAsync(webhook, cursor, size + 1, cancellation).ToListAsync(cancellation);
        var page = found.Take(size).Select(DeliveryResponse.Of).ToList();
        return TypedResults.Ok(new DeliveryPage(page, found.Count > size ? page[^1].Id : null));
    }

    /// <summary>Send a message again</summary>
    /// <remarks>Sends the message again in any state, with a full set of retries.</remarks>
    /// <param name="id" example="wh_0199aaaabbbbccccddddeeeeffff0002">The webhook's id.</param>
    /// <param name="deliveryId" example="msg_1772356272000_000000">The message's id.</param>
    /// <response code="202">The message is being sent.</response>
    public static async Task<Results<Accepted<DeliveryResponse>, ProblemHttpResult>> RedeliverAsync(
        string id, string deliveryId, Caller caller, WebhookFiles files, BotQueries queries, DeliveryStore deliveries, WebhookOutbox outbox, TimeProvider time)
    {
        if (await FindAsync(id, caller, files, queries) is not { } webhook)
            return WebhookProblems.NotFound();
        if (webhook.DisabledAt is not null)
            return WebhookProblems.Disabled();
        if (!DeliveryStore.IsId(deliveryId) || await deliveries.FindAsync(webhook, deliveryId) is not { } delivery)
            return WebhookProblems.DeliveryNotFound();
        if (await deliveries.RedeliverAsync(webhook, delivery, time.GetUtcNow(), isOwn: files.Find(id) is null) is not { } redelivery)
            return WebhookProblems.DeliveryNotFound();
        outbox.WakeUp.Raise();
        return Accepted(webhook, redelivery);
    }

    /// <summary>Treats other users' webhooks as missing.</summary>
    private static Webhook? Find(string id, Caller caller, WebhookFiles files) =>
        files.Find(id) is { } webhook && caller.CanReach(webhook.UserId) ? webhook : null;

    /// <summary>Also finds the webhook of a single bot, which is in the bot's record.</summary>
    private static async Task<Webhook?> FindAsync(string id, Caller caller, WebhookFiles files, BotQueries queries)
    {
        if (Find(id, caller, files) is { } webhook)
            return webhook;
        return id.StartsWith(BotWebhook.IdPrefix, StringComparison.Ordinal) && SessionId.TryParse(id[BotWebhook.IdPrefix.Length..], provider: null, out var session)
            && await queries.FindAsync(session) is { } bot && caller.CanReach(bot.UserId)
                ? Webhook.Of(bot)
                : null;
    }

    private static Accepted<DeliveryResponse> Accepted(Webhook webhook, Delivery delivery) =>
        TypedResults.Accepted($"/webhooks/{webhook.Id}/deliveries", DeliveryResponse.Of(delivery));
}
