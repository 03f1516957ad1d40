using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Access;
using NewarBots.Manager.Api;

namespace NewarBots.Manager.Webhooks;

/// <summary>The API's calls on webhooks.</summary>
internal static class WebhookEndpoints
{
    public const int MaxOfOneUser = 20;
    private const int MaxBodyBytes = 8 * 1024;
    private const int DefaultPageSize = 20;
    private const int MaxPageSize = 100;

    /// <summary>Long enough to give a receiver its new secret.</summary>
    private static readonly TimeSpan BothSecretsFor = TimeSpan.FromHours(24);

    public static void MapWebhooks(this IEndpointRouteBuilder routes)
    {
        var webhooks = routes.MapGroup("/webhooks").WithTags("Webhooks");
        webhooks.MapPost("", CreateAsync).WithName("CreateWebhook").Accepts<object>("application/json");
        webhooks.MapGet("", List).WithName("ListWebhooks");

        var webhook = webhooks.MapGroup("/{id}");
        webhook.MapGet("", Get).WithName("GetWebhook");
        webhook.MapDelete("", DeleteAsync).WithName("DeleteWebhook");
        webhook.MapPost("/secret", ChangeSecretAsync).WithName("ChangeWebhookSecret");
        webhook.MapPost("/test", TestAsync).WithName("TestWebhook");
        webhook.MapGet("/deliveries", ListDeliveriesAsync).WithName("ListDeliveries");
        webhook.MapPost("/deliveries/{deliveryId}/redeliver", RedeliverAsync).WithName("Redeliver");
    }

    private static async Task<Results<Created<WebhookResponse>, ProblemHttpResult>> CreateAsync(
        HttpRequest request, Caller caller, WebhookFiles files, IOptions<WebhookOptions> options, TimeProvider time, CancellationToken cancellation)
    {
        if (!request.HasJsonContentType())
            return ApiProblems.UnsupportedMediaType();
        if (await RequestBody.ReadAsync(request, MaxBodyBytes, cancellation) is not { } body)
            return RequestBody.TooLong(MaxBodyBytes);
        var (wanted, faults) = RequestBody.Read(body, (root, list) => WebhookRequest.Read(root, caller, options.Value.AllowPrivateAddresses, list));
        if (wanted is null)
            return ApiProblems.InvalidRequest(faults);
        var webhook = new Webhook
        {
            Id = $"wh_{SessionId.New(time)}",
            UserId = wanted.UserId,
            Url = wanted.Url,
            Events = wanted.Events,
            Description = wanted.Description,
            CreatedAt = time.GetUtcNow(),
            Secret = WebhookSignature.NewSecret(),
        };
        return await files.AddAsync(webhook, MaxOfOneUser, cancellation)
            ? TypedResults.Created($"/webhooks/{webhook.Id}", WebhookResponse.WithSecret(webhook))
            : WebhookProblems.TooMany(wanted.UserId);
    }

    private static Results<Ok<WebhookList>, ProblemHttpResult> List(Caller caller, WebhookFiles files, string? userId)
    {
        var (user, fault) = caller.Among(userId);
        return fault is null
            ? TypedResults.Ok(new WebhookList([.. files.All.Where(webhook => user is null || webhook.UserId == user).Select(WebhookResponse.Of)]))
            : ApiProblems.InvalidRequest("userId", fault);
    }

    private static Results<Ok<WebhookResponse>, ProblemHttpResult> Get(string id, Caller caller, WebhookFiles files) =>
        Find(id, caller, files) is { } webhook ? TypedResults.Ok(WebhookResponse.Of(webhook)) : WebhookProblems.NotFound();

    private static async Task<Results<NoContent, ProblemHttpResult>> DeleteAsync(
        string id, Caller caller, WebhookFiles files, DeliveryStore deliveries, CancellationToken cancellation)
    {
        if (Find(id, caller, files) is not { } webhook)
            return WebhookProblems.NotFound();
        // In this order, so that whoever could not delete it because Redis is away can try again.
        await deliveries.ForgetAsync(webhook);
        await files.RemoveAsync(id, cancellation);
        return TypedResults.NoContent();
    }

    private static async Task<Results<Ok<WebhookResponse>, ProblemHttpResult>> ChangeSecretAsync(
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
                PreviousSecretUntil = time.GetUtcNow() + BothSecretsFor,
            },
            cancellation);
        return changed is null ? WebhookProblems.NotFound() : TypedResults.Ok(WebhookResponse.WithSecret(changed));
    }

    private static async Task<Results<Accepted<DeliveryResponse>, ProblemHttpResult>> TestAsync(
        string id, Caller caller, WebhookFiles files, DeliveryStore deliveries, WebhookOutbox outbox, TimeProvider time)
    {
        if (Find(id, caller, files) is not { } webhook)
            return WebhookProblems.NotFound();
        if (webhook.DisabledAt is not null)
            return WebhookProblems.Disabled();
        var now = time.GetUtcNow();
        var message = DeliveryStore.NewId(now);
        await deliveries.SendAsync([webhook], WebhookEvent.ToTry(webhook, now), message, now);
        outbox.News.Raise();
        return await deliveries.FindAsync(webhook, message) is { } delivery ? Accepted(webhook, delivery) : WebhookProblems.DeliveryNotFound();
    }

    private static async Task<Results<Ok<DeliveryPage>, ProblemHttpResult>> ListDeliveriesAsync(
        string id, string? limit, string? cursor, Caller caller, WebhookFiles files, DeliveryStore deliveries, CancellationToken cancellation)
    {
        var size = DefaultPageSize;
        if (limit is not null
            && (!int.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out size) || size is < 1 or > MaxPageSize))
            return ApiProblems.InvalidRequest("limit", $"must be a number from 1 to {MaxPageSize}");
        if (cursor is not null && !DeliveryStore.IsId(cursor))
            return ApiProblems.InvalidRequest("cursor", "must be a nextCursor that this call has answered");
        if (Find(id, caller, files) is not { } webhook)
            return WebhookProblems.NotFound();
        var found = await deliveries.NewestAsync(webhook, cursor, size + 1, cancellation).ToListAsync(cancellation);
        var page = found.Take(size).Select(DeliveryResponse.Of).ToList();
        return TypedResults.Ok(new DeliveryPage(page, found.Count > size ? page[^1].Id : null));
    }

    private static async Task<Results<Accepted<DeliveryResponse>, ProblemHttpResult>> RedeliverAsync(
        string id, string deliveryId, Caller caller, WebhookFiles files, DeliveryStore deliveries, WebhookOutbox outbox, TimeProvider time)
    {
        if (Find(id, caller, files) is not { } webhook)
            return WebhookProblems.NotFound();
        if (webhook.DisabledAt is not null)
            return WebhookProblems.Disabled();
        if (!DeliveryStore.IsId(deliveryId) || await deliveries.FindAsync(webhook, deliveryId) is not { } delivery)
            return WebhookProblems.DeliveryNotFound();
        var again = await deliveries.AgainAsync(webhook, delivery, time.GetUtcNow());
        outbox.News.Raise();
        return Accepted(webhook, again);
    }

    /// <summary>Another user's is not there.</summary>
    private static Webhook? Find(string id, Caller caller, WebhookFiles files) =>
        files.Find(id) is { } webhook && caller.Reaches(webhook.UserId) ? webhook : null;

    private static Accepted<DeliveryResponse> Accepted(Webhook webhook, Delivery delivery) =>
        TypedResults.Accepted($"/webhooks/{webhook.Id}/deliveries", DeliveryResponse.Of(delivery));
}
