using System.Net.Mime;
using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using NewarBots.Manager.Access;
using NewarBots.Manager.Api;
using Scalar.AspNetCore;

namespace NewarBots.Manager.OpenApi;

/// <summary>The API's own description: OpenAPI 3.1 at <c>/openapi/v1.json</c>, to be read and tried at <c>/scalar</c>.</summary>
internal static class ApiDescription
{
    /// <summary>The page's script writes styles and HTML of its own, and says in the page what it shows; it asks nobody but the manager.</summary>
    public const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
        + "connect-src 'self'; worker-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private const string BrowsedAt = "/scalar";

    public static IServiceCollection AddApiDescription(this IServiceCollection services) => services.AddOpenApi(options =>
    {
        options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1;
        options.AddOperationTransformer((operation, context, _) =>
        {
            Describe(operation, ApiOperations.ByName[operation.OperationId!], context.Document!);
            return Task.CompletedTask;
        });
        options.AddDocumentTransformer((document, _, _) =>
        {
            document.Info = new()
            {
                Title = "NewarBots",
                Version = "v1",
                Description = "Sends recording bots into meetings, one container each, and gives one clean audio file of each. "
                    + "Errors are problem details (RFC 9457) with a `type` that stays; each says what to do. What breaks the rules of HTTP itself, comes too slowly "
                    + "before its body, or has too long an address or headers, is answered by the server with 400, 408, 414 or 431 and no body.",
            };
            // Wherever it is read, there it is called.
            document.Servers = [];
            document.Components ??= new();
            document.Components.Schemas?.Clear();
            ApiSchemas.AddTo(document);
            AddSecurity(document);
            return Task.CompletedTask;
        });
    });

    /// <summary>Everything that the page needs comes from the manager: it asks nothing of anybody else.</summary>
    public static void MapApiDescription(this IEndpointRouteBuilder routes)
    {
        routes.MapOpenApi().AllowAnonymous();
        routes.MapScalarApiReference(BrowsedAt, options => options
            .WithTitle("NewarBots")
            .DisableDefaultFonts()
            .DisableTelemetry()
            .DisableAgent()).AllowAnonymous();
    }

    /// <summary>Either of the headers; or neither, on the manager's own machine, where there are no keys.</summary>
    private static void AddSecurity(OpenApiDocument document)
    {
        document.AddComponent("apiKey", (IOpenApiSecurityScheme)new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.ApiKey,
            In = ParameterLocation.Header,
            Name = KeyAuthentication.HeaderName,
            Description = "A key.",
        });
        document.AddComponent("bearer", (IOpenApiSecurityScheme)new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.Http,
            Scheme = "bearer",
            Description = "A key.",
        });
        document.Security =
        [
            new() { [new("apiKey", document)] = [] },
            new() { [new("bearer", document)] = [] },
            new(),
        ];
    }

    /// <summary>Whether the description is asked for as a page to be read.</summary>
    public static bool IsBrowsed(HttpRequest request) => request.Path.StartsWithSegments(BrowsedAt, StringComparison.Ordinal);

    private static void Describe(OpenApiOperation operation, DescribedOperation described, OpenApiDocument document)
    {
        operation.Summary = described.Summary;
        operation.Description = described.Description;
        operation.Parameters = [.. described.Parameters.Select(IOpenApiParameter (parameter) => new OpenApiParameter
        {
            Name = parameter.Name,
            In = parameter.In,
            Required = parameter.In is ParameterLocation.Path,
            Description = parameter.Description,
            Schema = parameter.Schema,
            Example = parameter.Example.DeepClone(),
        })];
        operation.RequestBody = described.Body is null ? null : new OpenApiRequestBody
        {
            Required = true,
            Content = Content([MediaTypeNames.Application.Json], new OpenApiSchemaReference(described.Body, document), described.ExampleBody),
        };
        operation.Responses = [];
        foreach (var answer in described.Answers)
        {
            operation.Responses[$"{answer.Status}"] = new OpenApiResponse
            {
                Description = answer.Description,
                Headers = Headers(answer.Headers),
                Content = Content(
                    answer.ContentTypes,
                    answer.Schema is null ? new OpenApiSchema { Type = JsonSchemaType.String } : new OpenApiSchemaReference(answer.Schema, document),
                    answer.Example),
            };
        }

        foreach (var ofStatus in described.Problems.Concat(ApiOperations.OfAnyCall).GroupBy(problem => problem.Status).OrderBy(group => group.Key))
            operation.Responses[$"{ofStatus.Key}"] = Response(ofStatus.Key, [.. ofStatus], document);
    }

    private static OpenApiResponse Response(int status, IReadOnlyList<ProblemType> problems, OpenApiDocument document) => new()
    {
        Description = string.Join("\n\n", problems.Select(problem => $"`{problem.Uri}`: {problem.Title} {problem.WhatToDo}")),
        Headers = Headers(ApiOperations.HeadersOf(status)),
        Content = new Dictionary<string, OpenApiMediaType>
        {
            [MediaTypeNames.Application.ProblemJson] = new()
            {
                Schema = new OpenApiSchemaReference(ApiSchemas.Problem, document),
                Examples = problems.ToDictionary(
                    problem => problem.Name,
                    IOpenApiExample (problem) => new OpenApiExample { Summary = problem.Title, Value = Example(problem) }),
            },
        },
    };

    private static JsonObject Example(ProblemType problem)
    {
        var example = new JsonObject
        {
            ["type"] = problem.Uri,
            ["title"] = problem.Title,
            ["status"] = problem.Status,
            ["detail"] = problem.WhatToDo,
        };
        if (ApiOperations.MembersOf.TryGetValue(problem, out var member))
            example[member.Name] = member.Example.DeepClone();
        return example;
    }

    private static Dictionary<string, OpenApiMediaType>? Content(IReadOnlyList<string> types, IOpenApiSchema schema, JsonNode? example) =>
        types.Count == 0 ? null : types.ToDictionary(type => type, _ => new OpenApiMediaType { Schema = schema, Example = example?.DeepClone() });

    private static Dictionary<string, IOpenApiHeader>? Headers(IEnumerable<(string Name, string Description)> headers)
    {
        var described = headers.ToDictionary(
            header => header.Name,
            IOpenApiHeader (header) => new OpenApiHeader { Description = header.Description, Schema = new OpenApiSchema { Type = JsonSchemaType.String } });
        return described.Count == 0 ? null : described;
    }
}
