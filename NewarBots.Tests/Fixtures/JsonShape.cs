using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace NewarBots.Tests.Fixtures;

/// <summary>
/// Validates JSON against a schema from the API description. Stricter than JSON Schema: if properties are described, no others are allowed.
/// </summary>
internal static class JsonShape
{
    private static readonly TimeSpan OneSecond = TimeSpan.FromSeconds(1);

    /// <returns>All errors with their JSON paths; empty if the value is valid.</returns>
    public static IReadOnlyList<string> Errors(JsonNode document, JsonNode schema, JsonNode? value) => [.. Errors(document, schema, value, "$")];

    private static IEnumerable<string> Errors(JsonNode document, JsonNode schema, JsonNode? value, string path)
    {
        if (schema["$ref"] is { } reference)
            return Errors(document, document["components"]!["schemas"]![((string)reference!).Split('/')[^1]]!, value, path);
        if (schema["oneOf"] is JsonArray alternatives)
        {
            return alternatives.Any(alternative => !Errors(document, alternative!, value, path).Any())
                ? []
                : [$"{path} matches none of the alternatives: {value?.ToJsonString() ?? "null"}"];
        }

        var types = schema["type"] is JsonArray several ? [.. several.Select(type => (string)type!)] : new[] { (string)schema["type"]! };
        if (!types.Any(type => Is(type, value)))
            return [$"{path} is not {string.Join(" or ", types)}: {value?.ToJsonString() ?? "null"}"];
        return value switch
        {
            JsonObject members => ObjectErrors(document, schema, members, path),
            JsonArray items => items.SelectMany((item, number) => Errors(document, schema["items"]!, item, $"{path}[{number}]")),
            not null => ValueErrors(schema, value, path),
            null => [],
        };
    }

    private static bool Is(string type, JsonNode? value) => (type, value?.GetValueKind() ?? JsonValueKind.Null) switch
    {
        ("object", JsonValueKind.Object) or ("array", JsonValueKind.Array) or ("string", JsonValueKind.String) or ("number", JsonValueKind.Number)
            or ("boolean", JsonValueKind.True or JsonValueKind.False) or ("null", JsonValueKind.Null) => true,
        ("integer", JsonValueKind.Number) => double.IsInteger(Number(value!)),
        _ => false,
    };

    private static IEnumerable<string> ObjectErrors(JsonNode document, JsonNode schema, JsonObject members, string path)
    {
        foreach (var name in schema["required"]?.AsArray() ?? [])
        {
            if (!members.ContainsKey((string)name!))
                yield return $"{path} has no {name}";
        }

        foreach (var (name, member) in members)
        {
            var described = schema["properties"]?[name] ?? (schema["additionalProperties"] is JsonObject others ? others : null);
            if (described is null && (schema["properties"] is not null || schema["additionalProperties"] is not null))
                yield return $"{path} has {name}, which is not described";
            foreach (var error in described is null ? [] : Errors(document, described, member, $"{path}.{name}"))
                yield return error;
        }
    }

    private static IEnumerable<string> ValueErrors(JsonNode schema, JsonNode value, string path)
    {
        if (schema["enum"] is JsonArray words && !words.Any(word => JsonNode.DeepEquals(word, value)))
            yield return $"{path} is not in the enum: {value}";
        if (schema["minimum"] is { } minimum && Number(value) < Number(minimum) || schema["maximum"] is { } maximum && Number(value) > Number(maximum))
            yield return $"{path} is out of range: {value}";
        if (value.GetValueKind() is not JsonValueKind.String)
            yield break;
        var text = (string)value!;
        if (schema["pattern"] is { } pattern && !Regex.IsMatch(text, (string)pattern!, RegexOptions.None, OneSecond))
            yield return $"{path} does not match {pattern}: {text}";
        if (text.Length < ((int?)schema["minLength"] ?? 0) || text.Length > ((int?)schema["maxLength"] ?? int.MaxValue))
            yield return $"{path} has an invalid length: {text}";
        if ((string?)schema["format"] is "date-time"
            && (!DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, out var time) || time.Offset != TimeSpan.Zero || !text.Contains('T', StringComparison.Ordinal)))
            yield return $"{path} is not a UTC time: {text}";
        if ((string?)schema["format"] is "uri" && !Uri.TryCreate(text, UriKind.Absolute, out _))
            yield return $"{path} is not a URI: {text}";
    }

    private static double Number(JsonNode value) => double.Parse(value.ToJsonString(), CultureInfo.InvariantCulture);
}
