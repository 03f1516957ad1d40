using System.Net.Mime;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;
using Microsoft.OpenApi;
using NewarBots.Manager.Api.OpenApi;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Events;
using NewarBots.Manager.Bots.Storage;

namespace NewarBots.Manager.Webhooks;

internal static class WebhooksRegistration
{
    public static IHostApplicationBuilder AddWebhooks(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<IValidateOptions<WebhookOptions>, WebhookOptionsValidator>();
        builder.Services.AddOptions<WebhookOptions>().BindConfiguration(WebhookOptions.Section).ValidateOnStart()
            .PostConfigure(options => options.AllowLoopback ??= builder.Environment.IsDevelopment());
        builder.Services.AddSingleton<IWebhookPolicy, WebhookPolicy>();
        builder.Services.AddSingleton<WebhookFiles>();
        builder.Services.AddSingleton<WebhookOutbox>();
        builder.Services.AddSingleton<IBotOutbox>(services => services.GetRequiredService<WebhookOutbox>());
        builder.Services.AddSingleton<DeliveryStore>();
        builder.Services.AddSingleton<WebhookSender>();
        builder.Services.AddHostedService<WebhookDispatcher>();
        builder.Services.ExtendApiDescription(DescribeMessages);
        return builder;
    }

    /// <summary>Adds the types of events to the OpenAPI document, and its <c>webhooks</c> section.</summary>
    private static void DescribeMessages(OpenApiDocument document)
    {
        var schemas = document.Components!.Schemas!;
        foreach (var webhook in (string[])["CreateWebhook", "Webhook", "BotWebhook"])
            ((OpenApiSchema)schemas[webhook].Properties!["events"]).Items = Choice(WebhookEvent.Types);
        schemas["Delivery"].Properties!["type"] = Choice([.. WebhookEvent.Types, WebhookEvent.Test]);
        document.AddComponent("WebhookMessage", new OpenApiSchema
        {
            Type = JsonSchemaType.Object,
            Description = "The body of a message about a bot.",
            Required = new HashSet<string> { "type", "timestamp", "data" },
            Properties = new Dictionary<string, IOpenApiSchema>
            {
                ["type"] = Choice([.. WebhookEvent.Types.Except(PeopleEvents.Types)]),
                ["timestamp"] = new OpenApiSchema { Type = JsonSchemaType.String, Format = "date-time", Description = "When the status or the transcript changed." },
                ["data"] = new OpenApiSchemaReference("Bot", document) { Description = "The bot at that time." },
            },
        });
        document.AddComponent("PersonMessage", new OpenApiSchema
        {
            Type = JsonSchemaType.Object,
            Description = "The body of a message about a participant or speaker.",
            Required = new HashSet<string> { "type", "timestamp", "data" },
            Properties = new Dictionary<string, IOpenApiSchema>
            {
                ["type"] = Choice(PeopleEvents.Types),
                ["timestamp"] = new OpenApiSchema { Type = JsonSchemaType.String, Format = "date-time", Description = "When the manager learned of it." },
                ["data"] = new OpenApiSchemaReference("PersonChange", document) { Description = "The person, and when it happened." },
            },
        });
        document.Webhooks = new Dictionary<string, IOpenApiPathItem>
        {
            ["botStatus"] = PathOf("onBotStatus", "The status of a bot has changed, or its transcript has ended", "WebhookMessage"),
            ["people"] = PathOf("onPerson", "Somebody joined or left the call of a bot, or began or ceased to speak", "PersonMessage"),
        };

        OpenApiPathItem PathOf(string id, string summary, string message) =>
            new() { Operations = new() { [HttpMethod.Post] = MessageOperation(id, summary, new(message, document)) } };
    }

    private static OpenApiOperation MessageOperation(string id, string summary, OpenApiSchemaReference message) => new()
    {
        OperationId = id,
        Summary = summary,
        Description = "Sent to each webhook that selects the event. A message can arrive more than once and out of order. Verify its signature "
            + "according to the Standard Webhooks specification.",
        Parameters =
        [
            Header(WebhookSignature.IdHeader, "The message's id, the same in each attempt."),
            Header(WebhookSignature.TimestampHeader, "Unix time of the attempt, in seconds."),
            Header(WebhookSignature.SignatureHeader, "One or two signatures, separated by spaces."),
        ],
        RequestBody = new OpenApiRequestBody
        {
            Required = true,
            Content = new Dictionary<string, OpenApiMediaType>
            {
                [MediaTypeNames.Application.Json] = new() { Schema = message },
            },
        },
        Responses = new()
        {
            ["2XX"] = new OpenApiResponse { Description = "Received. Any other status is retried, with a growing delay." },
            ["410"] = new OpenApiResponse { Description = "Disables the webhook." },
        },
    };

    private static OpenApiParameter Header(string name, string description) => new()
    {
        Name = name,
        In = ParameterLocation.Header,
        Required = true,
        Description = description,
        Schema = new OpenApiSchema { Type = JsonSchemaType.String },
    };

    private static OpenApiSchema Choice(IReadOnlyList<string> values) => new()
    {
        Type = JsonSchemaType.String,
        Description = "The type of event.",
        Enum = [.. values.Select(value => (JsonNode)value)],
    };
}
