using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace NewarBots.Tests.Fixtures;

/// <summary>
/// JSON against a schema of the API's description, as far as that goes. Stricter than JSON Schema: what has members described has no others.
/// </summary>
internal static class JsonShape
{
    private static readonly TimeSpan OneSecond = TimeSpan.FromSeconds(1);

    /// <returns>What is wrong, each with its place; nothing where the value is as described.</returns>
    public static IReadOnlyList<string> Faults(JsonNode document, JsonNode schema, JsonNode? value) => [.. Faults(document, schema, value, "$")];

    private static IEnumerable<string> Faults(JsonNode document, JsonNode schema, JsonNode? value, string place)
    {
        if (schema["$ref"] is { } reference)
            return Faults(document, document["components"]!["schemas"]![((string)reference!).Split('/')[^1]]!, value, place);
        var types = schema["type"] is JsonArray several ? [.. several.Select(type => (string)type!)] : new[] { (string)schema["type"]! };
        if (!types.Any(type => Is(type, value)))
            return [$"{place} is no {string.Join(" or ", types)}: {value?.ToJsonString() ?? "null"}"];
        return value switch
        {
            JsonObject members => OfObject(document, schema, members, place),
            JsonArray items => items.SelectMany((item, number) => Faults(document, schema["items"]!, item, $"{place}[{number}]")),
            not null => OfLeaf(schema, value, place),
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

    private static IEnumerable<string> OfObject(JsonNode document, JsonNode schema, JsonObject members, string place)
    {
        foreach (var name in schema["required"]?.AsArray() ?? [])
        {
            if (!members.ContainsKey((string)name!))
                yield return $"{place} has no {name}";
        }

        foreach (var (name, member) in members)
        {
            var described = schema["properties"]?[name] ?? (schema["additionalProperties"] is JsonObject others ? others : null);
            if (described is null && (schema["properties"] is not null || schema["additionalProperties"] is not null))
                yield return $"{place} has {name}, which is not described";
            foreach (var fault in described is null ? [] : Faults(document, described, member, $"{place}.{name}"))
                yield return fault;
        }
    }

    private static IEnumerable<string> OfLeaf(JsonNode schema, JsonNode value, string place)
    {
        if (schema["enum"] is JsonArray words && !words.Any(word => JsonNode.DeepEquals(word, value)))
            yield return $"{place} is none of the words: {value}";
        if (schema["minimum"] is { } least && Number(value) < Number(least) || schema["maximum"] is { } most && Number(value) > Number(most))
            yield return $"{place} is too small or too great: {value}";
        if (value.GetValueKind() is not JsonValueKind.String)
            yield break;
        var text = (string)value!;
        if (schema["pattern"] is { } pattern && !Regex.IsMatch(text, (string)pattern!, RegexOptions.None, OneSecond))
            yield return $"{place} does not match {pattern}: {text}";
        if (text.Length < ((int?)schema["minLength"] ?? 0) || text.Length > ((int?)schema["maxLength"] ?? int.MaxValue))
            yield return $"{place} is too short or too long: {text}";
        if ((string?)schema["format"] is "date-time"
            && (!DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, out var time) || time.Offset != TimeSpan.Zero || !text.Contains('T', StringComparison.Ordinal)))
            yield return $"{place} is no time: {text}";
        if ((string?)schema["format"] is "uri" && !Uri.TryCreate(text, UriKind.Absolute, out _))
            yield return $"{place} is no address: {text}";
    }

    private static double Number(JsonNode value) => double.Parse(value.ToJsonString(), CultureInfo.InvariantCulture);
}
