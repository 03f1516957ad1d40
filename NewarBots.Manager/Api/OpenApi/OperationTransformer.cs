using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Net.Mime;
using System.Reflection;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Mvc.Infrastructure;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace NewarBots.Manager.Api.OpenApi;

/// <summary>Adds to the generated operations: problems with examples, response headers, the types of parsed parameters.</summary>
internal static class OperationTransformer
{
    public static async Task TransformAsync(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancellation)
    {
        foreach (var described in context.Description.ParameterDescriptions)
        {
            if (operation.Parameters?.FirstOrDefault(known => known.Name == described.Name) is not OpenApiParameter parameter
                || described.ParameterDescriptor is not IParameterInfoParameterDescriptor { ParameterInfo: var info })
                continue;
            if (info.GetCustomAttribute<ParsedAsAttribute>() is { } parsed)
                parameter.Schema = await context.GetOrCreateSchemaAsync(parsed.Type, described, cancellation);
            if (info.GetCustomAttribute<ExampleAttribute>() is { } example)
                parameter.Example = example.Value;
            if (info.GetCustomAttribute<AllowedValuesAttribute>() is { } allowed && parameter.Schema is OpenApiSchema schema)
                schema.Enum = [.. allowed.Values.OfType<string>().Select(value => (JsonNode)value)];
        }

        var metadata = context.Description.ActionDescriptor.EndpointMetadata;
        foreach (var problems in metadata.OfType<EndpointProblems>().SelectMany(described => described.Types).GroupBy(problem => problem.Status))
            AddProblems(operation.Responses![Key(problems.Key)], [.. problems]);
        foreach (var (status, response) in operation.Responses!)
        {
            var headers = metadata.OfType<EndpointHeader>().Where(header => Key(header.Status) == status)
                .Select(header => (header.Name, header.Description)).Concat(HeadersOf(status)).ToList();
            if (headers.Count > 0)
            {
                ((OpenApiResponse)response).Headers = headers.ToDictionary(
                    header => header.Name,
                    IOpenApiHeader (header) => new OpenApiHeader { Description = header.Description, Schema = new OpenApiSchema { Type = JsonSchemaType.String } });
            }
        }
    }

    /// <summary>Copies each component's example to the bodies that refer to it, because tools look for examples there.</summary>
    public static void CopyExamples(OpenApiDocument document)
    {
        var bodies = document.Paths.Values.SelectMany(path => path.Operations!.Values)
            .SelectMany(operation => operation.Responses!.Values.Select(response => response.Content).Append(operation.RequestBody?.Content))
            .SelectMany(content => content?.Values ?? []);
        foreach (var body in bodies)
        {
            if (body is { Examples: null, Schema: OpenApiSchemaReference { Target.Examples: [var example, ..] } })
                body.Example = example.DeepClone();
        }
    }

    private static void AddProblems(IOpenApiResponse response, IReadOnlyList<ProblemType> problems)
    {
        response.Description = string.Join("\n\n", problems.Select(problem => $"`{problem.Uri}`: {problem.Title} {problem.Advice}"));
        response.Content![MediaTypeNames.Application.ProblemJson].Examples = problems.ToDictionary(
            problem => problem.Name,
            IOpenApiExample (problem) => new OpenApiExample { Summary = problem.Title, Value = Example(problem) });
    }

    private static JsonObject Example(ProblemType problem)
    {
        var example = new JsonObject
        {
            ["type"] = problem.Uri,
            ["title"] = problem.Title,
            ["status"] = problem.Status,
            ["detail"] = problem.Advice,
        };
        if (problem.Member is { } member)
            example[member.Name] = JsonNode.Parse(member.Example);
        return example;
    }

    private static IEnumerable<(string Name, string Description)> HeadersOf(string status) => status switch
    {
        "201" or "202" => [("Location", "Path of the resource.")],
        "401" => [("WWW-Authenticate", "`Bearer`.")],
        "416" => [("Content-Range", "Length of the file.")],
        "429" => [("Retry-After", "Seconds to wait; only for too-many-requests and too-many-streams.")],
        "503" => [("Retry-After", "Seconds to wait.")],
        _ => [],
    };

    private static string Key(int status) => status.ToString(CultureInfo.InvariantCulture);
}
