using System.Reflection;
using Microsoft.AspNetCore.Http.Metadata;

namespace NewarBots.Manager.Api;

/// <summary>Rejects query parameters that an endpoint does not have, just as bodies with unknown fields are rejected: a misspelled filter would match everything.</summary>
internal static class QueryGuard
{
    public static TBuilder RejectUnknownParameters<TBuilder>(this TBuilder builder) where TBuilder : IEndpointConventionBuilder =>
        builder.AddEndpointFilterFactory((endpoint, next) =>
        {
            var known = endpoint.MethodInfo.GetParameters().Where(IsFromQueryOrRoute).Select(parameter => parameter.Name!).ToHashSet();
            return invocation => FindUnknown(invocation.HttpContext, known) is { Count: > 0 } unknown
                ? ValueTask.FromResult<object?>(ApiProblems.InvalidRequest(unknown))
                : next(invocation);
        });

    /// <summary>Handlers take all of these as text. Everything else that they take is a service, the caller or an id.</summary>
    private static bool IsFromQueryOrRoute(ParameterInfo parameter) =>
        (parameter.ParameterType == typeof(string) || parameter.ParameterType == typeof(string[]))
        && !parameter.GetCustomAttributes().OfType<IFromHeaderMetadata>().Any();

    private static Dictionary<string, string[]> FindUnknown(HttpContext context, HashSet<string> known)
    {
        var prefix = context.GetEndpoint()?.Metadata.GetMetadata<QueryPrefix>()?.Prefix;
        return context.Request.Query.Keys
            .Where(name => (!known.Contains(name) || context.Request.RouteValues.ContainsKey(name)) && !HasPrefix(name, prefix))
            .Select(RequestBody.FieldName)
            .Distinct()
            .ToDictionary(name => name, _ => (string[])["is not a parameter of this call"]);
    }

    private static bool HasPrefix(string name, string? prefix) =>
        prefix is not null && name.Length > prefix.Length && name.StartsWith(prefix, StringComparison.Ordinal);
}

/// <summary>The endpoint also takes query parameters whose names begin with this.</summary>
internal sealed record QueryPrefix(string Prefix);
