using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using NewarBots.Contract;
using NewarBots.Manager.Api;
using NewarBots.Manager.Webhooks;

namespace NewarBots.Manager.OpenApi;

/// <summary>The calls on webhooks, and what they take and give.</summary>
internal static class WebhookOperations
{
    private const string Create = "CreateWebhook";
    private const string Webhook = "Webhook";
    private const string List = "WebhookList";
    private const string Delivery = "Delivery";
    private const string DeliveryStore = "DeliveryPage";
    private const string ExampleId = "wh_0199aaaabbbbccccddddeeeeffff0002";
    private const string ExampleMessage = "msg_1772356272000_000000";

    private static readonly DescribedParameter Id = new("id", ParameterLocation.Path, "The webhook's id.", ApiSchemas.Text("A webhook's id."), ExampleId);

    private static readonly DescribedAnswer AcceptedDelivery = new(202, "It is sent.")
    {
        ContentTypes = ["application/json"],
        Schema = Delivery,
        Example = ExampleDelivery("pending"),
        Headers = [("Location", "Where messages are listed.")],
    };

    public static IReadOnlyDictionary<string, DescribedOperation> ByName { get; } = new Dictionary<string, DescribedOperation>
    {
        ["CreateWebhook"] = new(
            "Make a webhook",
            "From now on a message is sent whenever a bot of the user comes to another status, signed by the Standard Webhooks specification. "
            + "The secret is told this once.")
        {
            Body = Create,
            ExampleBody = JsonNode.Parse("""{"url": "https://example.com/newarbots", "events": ["bot.completed", "bot.failed"], "description": "Minutes"}"""),
            Answers =
            [
                new(201, "The webhook, with its secret.")
                {
                    ContentTypes = ["application/json"],
                    Schema = Webhook,
                    Example = ExampleWebhook(withSecret: true),
                    Headers = [("Location", "The webhook's address.")],
                },
            ],
            Problems = [ProblemTypes.InvalidRequest, ProblemTypes.RequestTimeout, ProblemTypes.UnsupportedMediaType, ProblemTypes.TooManyWebhooks],
        },
        ["ListWebhooks"] = new("List webhooks", "All that the caller may see, oldest first, without their secrets.")
        {
            Parameters = [new("userId", ParameterLocation.Query, "Only this user's; all that the caller may see where it is not given.", ApiSchemas.User("A user."), "default")],
            Answers =
            [
                new(200, "The webhooks.")
                {
                    ContentTypes = ["application/json"],
                    Schema = List,
                    Example = new JsonObject { ["items"] = new JsonArray(ExampleWebhook(withSecret: false)) },
                },
            ],
            Problems = [ProblemTypes.InvalidRequest],
        },
        ["GetWebhook"] = new("Look at a webhook", "As it is, without its secret.")
        {
            Parameters = [Id],
            Answers = [new(200, "The webhook.") { ContentTypes = ["application/json"], Schema = Webhook, Example = ExampleWebhook(withSecret: false) }],
            Problems = [ProblemTypes.WebhookNotFound],
        },
        ["DeleteWebhook"] = new("Delete a webhook", "It is told nothing any more; its messages are gone, also those that were to be sent again.")
        {
            Parameters = [Id],
            Answers = [new(204, "It is gone.")],
            Problems = [ProblemTypes.WebhookNotFound],
        },
        ["ChangeWebhookSecret"] = new(
            "Give a webhook a new secret", "For 24 hours messages carry a signature of each, so that receivers can change theirs without losing one.")
        {
            Parameters = [Id],
            Answers = [new(200, "The webhook, with its new secret.") { ContentTypes = ["application/json"], Schema = Webhook, Example = ExampleWebhook(withSecret: true) }],
            Problems = [ProblemTypes.WebhookNotFound],
        },
        ["TestWebhook"] = new("Try a webhook", "Sends a message of the type `webhook.test`.")
        {
            Parameters = [Id],
            Answers = [AcceptedDelivery],
            Problems = [ProblemTypes.WebhookNotFound, ProblemTypes.WebhookDisabled, ProblemTypes.DeliveryNotFound],
        },
        ["ListDeliveries"] = new("List a webhook's messages", "Newest first, each with every attempt to deliver it; for 7 days, and the latest 10,000.")
        {
            Parameters =
            [
                Id,
                new("limit", ParameterLocation.Query, "How many there are on a page at most; 20 where it is not given.", ApiSchemas.Whole("A number.", 1, 100), 20),
                new("cursor", ParameterLocation.Query, "`nextCursor` of the page before.", ApiSchemas.Text("A message's id."), ExampleMessage),
            ],
            Answers =
            [
                new(200, "A page.")
                {
                    ContentTypes = ["application/json"],
                    Schema = DeliveryStore,
                    Example = new JsonObject { ["items"] = new JsonArray(ExampleDelivery("delivered")), ["nextCursor"] = ExampleMessage },
                },
            ],
            Problems = [ProblemTypes.InvalidRequest, ProblemTypes.WebhookNotFound],
        },
        ["Redeliver"] = new("Send a message again", "Whatever became of it, it is sent once more, and has all its attempts again.")
        {
            Parameters = [Id, new("deliveryId", ParameterLocation.Path, "The message's id.", ApiSchemas.Text("A message's id."), ExampleMessage)],
            Answers = [AcceptedDelivery],
            Problems = [ProblemTypes.WebhookNotFound, ProblemTypes.WebhookDisabled, ProblemTypes.DeliveryNotFound],
        },
    };

    public static void AddSchemasTo(OpenApiDocument document)
    {
        OpenApiSchema Events(string description) => new()
        {
            Type = JsonSchemaType.Array,
            Description = description,
            Items = ApiSchemas.Choice("A type of event.", WebhookEvent.Types),
        };

        var create = ApiSchemas.Object(
            "A webhook that is wanted.",
            ("url", ApiSchemas.Text("Where messages go: https, and a public address.", maxLength: WebhookUrl.MaxLength, format: "uri")),
            ("events", ApiSchemas.OrNull(Events("What it is told; everything where there are none."))),
            ("description", ApiSchemas.OrNull(ApiSchemas.Text("For whoever lists webhooks.", maxLength: WebhookRequest.MaxDescriptionLength))),
            ("userId", ApiSchemas.OrNull(ApiSchemas.User($"Whose bots it is told of; the key's user where it is not given, `{UserId.Default}` where there are no keys. Another's only with an admin's key."))));
        create.AdditionalPropertiesAllowed = false;
        create.Required = new HashSet<string> { "url" };
        document.AddComponent(Create, create);

        var webhook = ApiSchemas.Object(
            "Who is told what becomes of a user's bots.",
            ("id", ApiSchemas.Text("Its id.")),
            ("url", ApiSchemas.Text("Where messages go.", format: "uri")),
            ("events", Events("What it is told.")),
            ("description", ApiSchemas.Text("As it was given.")),
            ("userId", ApiSchemas.User("Whose bots it is told of.")),
            ("createdAt", ApiSchemas.Time("When it was made.")),
            ("disabledAt", ApiSchemas.Time("Since when it is told nothing, because its receiver answered 410 Gone.")),
            ("secret", ApiSchemas.Text("What messages are signed with; only when it is made.")));
        webhook.Required = new HashSet<string> { "id", "url", "events", "userId", "createdAt" };
        document.AddComponent(Webhook, webhook);
        var list = ApiSchemas.Object(
            "Webhooks.", ("items", new() { Type = JsonSchemaType.Array, Description = "Oldest first.", Items = new OpenApiSchemaReference(Webhook, document) }));
        ApiSchemas.RequireAll(list);
        document.AddComponent(List, list);

        var attempt = ApiSchemas.Object(
            "One attempt to deliver a message.",
            ("at", ApiSchemas.Time("When it began.")),
            ("durationSeconds", ApiSchemas.Seconds("Until the answer, or until it was given up.")),
            ("httpStatus", ApiSchemas.Whole("The receiver's answer; absent where there was none.", 100, 999)),
            ("error", ApiSchemas.Text("Why it failed.")));
        attempt.Required = new HashSet<string> { "at", "durationSeconds" };
        var delivery = ApiSchemas.Object(
            "A message.",
            ("id", ApiSchemas.Text("As in its header webhook-id.")),
            ("type", ApiSchemas.Choice("What happened.", [.. WebhookEvent.Types, WebhookEvent.Test])),
            ("status", ApiSchemas.Words<DeliveryStatus>("What became of it.")),
            ("createdAt", ApiSchemas.Time("When it was made.")),
            ("nextAttemptAt", ApiSchemas.Time("When it is sent next, at the earliest.")),
            ("attempts", new() { Type = JsonSchemaType.Array, Description = "In their order.", Items = attempt }),
            ("body", new() { Type = JsonSchemaType.Object, Description = "What is sent: type, timestamp and data, for a bot's event the bot as it was." }));
        delivery.Required = new HashSet<string> { "id", "type", "status", "createdAt", "attempts", "body" };
        document.AddComponent(Delivery, delivery);
        var page = ApiSchemas.Object(
            "A page of messages.",
            ("items", new() { Type = JsonSchemaType.Array, Description = "Newest first.", Items = new OpenApiSchemaReference(Delivery, document) }),
            ("nextCursor", ApiSchemas.Text("To be sent as cursor for the next page; absent on the last one.")));
        page.Required = new HashSet<string> { "items" };
        document.AddComponent(DeliveryStore, page);
    }

    private static JsonObject ExampleWebhook(bool withSecret)
    {
        var webhook = new JsonObject
        {
            ["id"] = ExampleId,
            ["url"] = "https://example.com/newarbots",
            ["events"] = new JsonArray("bot.completed", "bot.failed"),
            ["description"] = "Minutes",
            ["userId"] = "default",
            ["createdAt"] = "2026-03-01T09:00:00Z",
        };
        if (withSecret)
            webhook["secret"] = "whsec_…";
        return webhook;
    }

    private static JsonObject ExampleDelivery(string status)
    {
        var delivery = new JsonObject
        {
            ["id"] = ExampleMessage,
            ["type"] = "bot.completed",
            ["status"] = status,
            ["createdAt"] = "2026-03-01T09:11:12Z",
            ["attempts"] = new JsonArray(),
            ["body"] = new JsonObject { ["type"] = "bot.completed", ["timestamp"] = "2026-03-01T09:11:12Z", ["data"] = new JsonObject { ["status"] = "completed" } },
        };
        if (status is "delivered")
            delivery["attempts"] = new JsonArray(new JsonObject { ["at"] = "2026-03-01T09:11:12Z", ["durationSeconds"] = 0.2, ["httpStatus"] = 204 });
        else
            delivery["nextAttemptAt"] = "2026-03-01T09:11:12Z";
        return delivery;
    }
}
