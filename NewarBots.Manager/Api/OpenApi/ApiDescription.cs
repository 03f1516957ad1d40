using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using Scalar.AspNetCore;

namespace NewarBots.Manager.Api.OpenApi;

/// <summary>
/// The OpenAPI 3.1 document at <c>/openapi/v1.json</c> and its page at <c>/scalar</c>. Texts come from the XML comments of handlers and records.
/// </summary>
internal static class ApiDescription
{
    /// <summary>The page needs inline styles and scripts, and loads everything from the manager.</summary>
    public const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
        + "connect-src 'self'; worker-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private const string DocumentName = "v1";

    private const string PagePath = "/scalar";

    private static readonly IReadOnlyList<(string Name, string Description)> Tags =
    [
        ("Bots", "Send bots into meetings, follow and stop them, and download their recordings."),
        ("Webhooks", "Receive a signed message when the status of a bot changes."),
        ("Keys", "Manage API keys. Requires an admin's key."),
        ("Session", "Sign a browser in and out."),
    ];

    public static IServiceCollection AddApiDescription(this IServiceCollection services) => services.AddOpenApi(options =>
    {
        options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1;
        options.CreateSchemaReferenceId = SchemaTransformer.NameOf;
        options.AddSchemaTransformer(SchemaTransformer.TransformAsync);
        options.AddOperationTransformer(OperationTransformer.TransformAsync);
        options.AddDocumentTransformer((document, _, _) =>
        {
            document.Info = new()
            {
                Title = "NewarBots",
                Version = DocumentName,
                Contact = new() { Name = "The operator of this manager" },
                Description = "Sends recording bots into meetings, one container each, and produces one clean audio file per meeting. "
                    + "Errors are problem details (RFC 9457) with a stable `type`; `detail` says what to do. The server itself answers malformed HTTP, "
                    + "slow headers and oversized addresses or headers with 400, 408, 414 or 431 and no body.",
            };
            document.Servers = [new() { Url = "/", Description = "The manager that serves this document." }];
            document.Tags = Tags.Select(tag => new OpenApiTag { Name = tag.Name, Description = tag.Description }).ToHashSet();
            OperationTransformer.CopyExamples(document);
            return Task.CompletedTask;
        });
    });

    /// <summary>Lets a feature extend the document beyond what comments can express.</summary>
    public static IServiceCollection ExtendApiDescription(this IServiceCollection services, Action<OpenApiDocument> extend) =>
        services.Configure<OpenApiOptions>(DocumentName, options => options.AddDocumentTransformer((document, _, _) =>
        {
            extend(document);
            return Task.CompletedTask;
        }));

    public static void MapApiDescription(this IEndpointRouteBuilder routes)
    {
        routes.MapOpenApi().AllowAnonymous();
        routes.MapScalarApiReference(PagePath, options => options
            .WithTitle("NewarBots")
            .WithDynamicBaseServerUrl()
            .DisableDefaultFonts()
            .DisableTelemetry()
            .DisableAgent()
            .DisableMcp()
            .HideClientButton()
            .HideDeveloperTools()).AllowAnonymous();
    }

    /// <summary>Whether the request is for the page or one of its files.</summary>
    public static bool IsPage(HttpRequest request) => request.Path.StartsWithSegments(PagePath, StringComparison.Ordinal);
}
