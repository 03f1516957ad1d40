using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using NewarBots.Manager.Api;

namespace NewarBots.Manager.OpenApi;

/// <summary>What a user of the API is told about one call.</summary>
/// <param name="Summary">One line.</param>
/// <param name="Description">Markdown: what it does, and what to expect.</param>
internal sealed record DescribedOperation(string Summary, string Description)
{
    public IReadOnlyList<DescribedParameter> Parameters { get; init; } = [];

    /// <summary>The name of a schema among the components, where there is a body.</summary>
    public string? Body { get; init; }

    /// <summary>One that is valid.</summary>
    public JsonNode? ExampleBody { get; init; }

    public required IReadOnlyList<DescribedAnswer> Answers { get; init; }

    /// <summary>Beside those that any call may answer with.</summary>
    public IReadOnlyList<ProblemType> Problems { get; init; } = [];
}

/// <param name="Name">As it is sent.</param>
/// <param name="In">Path, query or header.</param>
/// <param name="Description">What it means.</param>
/// <param name="Schema">What it must be.</param>
/// <param name="Example">One that is valid.</param>
internal sealed record DescribedParameter(string Name, ParameterLocation In, string Description, OpenApiSchema Schema, JsonNode Example);

/// <param name="Status">Of success.</param>
/// <param name="Description">When, and what it means.</param>
internal sealed record DescribedAnswer(int Status, string Description)
{
    /// <summary>Any of them; none where there is no body.</summary>
    public IReadOnlyList<string> ContentTypes { get; init; } = [];

    /// <summary>The name of a schema among the components; where it is not given, the body is a string or bytes.</summary>
    public string? Schema { get; init; }

    public JsonNode? Example { get; init; }

    /// <summary>Headers by name, each with what it says.</summary>
    public IReadOnlyList<(string Name, string Description)> Headers { get; init; } = [];
}
