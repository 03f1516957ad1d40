using System.Net.Mime;

namespace NewarBots.Manager.Api.OpenApi;

/// <summary>Describes an endpoint beyond its signature and comments.</summary>
internal static class EndpointDescription
{
    /// <summary>The problems that the endpoint can return, in addition to <see cref="ProblemTypes.Common"/>.</summary>
    public static RouteHandlerBuilder WithProblems(this RouteHandlerBuilder endpoint, params IEnumerable<ProblemType> types)
    {
        List<ProblemType> all = [.. types.Union(ProblemTypes.Common)];
        foreach (var status in all.Select(type => type.Status).Distinct())
            endpoint.Produces<Problem>(status, MediaTypeNames.Application.ProblemJson);
        return endpoint.WithMetadata(new EndpointProblems(all));
    }

    public static RouteHandlerBuilder WithResponseHeader(this RouteHandlerBuilder endpoint, int status, string name, string description) =>
        endpoint.WithMetadata(new EndpointHeader(status, name, description));
}

internal sealed record EndpointProblems(IReadOnlyList<ProblemType> Types);

internal sealed record EndpointHeader(int Status, string Name, string Description);

/// <summary>The type of a parameter that the handler takes as text and parses itself, so that it can report all faults at once.</summary>
[AttributeUsage(AttributeTargets.Parameter)]
internal sealed class ParsedAsAttribute(Type type) : Attribute
{
    public Type Type => type;
}

/// <summary>An example of a header. XML comments cannot give it, because they match parameters by their C# names.</summary>
[AttributeUsage(AttributeTargets.Parameter)]
internal sealed class ExampleAttribute(string value) : Attribute
{
    public string Value => value;
}

/// <summary>A member that requests may omit, but not set to null.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class OptionalAttribute : Attribute;

/// <summary>Limits of a JSON object with arbitrary names.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class MaxEntriesAttribute(int entries, int valueLength) : Attribute
{
    public int Entries => entries;

    public int ValueLength => valueLength;
}
