using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace NewarBots.Contract;

/// <summary>Reads JSON that a person wrote: whatever is wrong with it is told by line and JSON path.</summary>
internal static class CheckedJson
{
    /// <param name="json">The text.</param>
    /// <param name="type">Its shape.</param>
    /// <param name="check">What is wrong with a value that has the shape.</param>
    /// <param name="refuse">Makes the exception of all faults.</param>
    public static T Read<T>(
        string json, JsonTypeInfo<T> type, Func<T, IEnumerable<JsonFault>> check, Func<IReadOnlyList<string>, Exception> refuse)
    {
        T? value;
        try
        {
            value = JsonSerializer.Deserialize(json, type);
        }
        catch (JsonException exception)
        {
            throw refuse([$"line {exception.LineNumber + 1}, {exception.Path ?? "$"}: {InPlainWords(exception.Message)}"]);
        }

        if (value is null)
            throw refuse(["line 1, $: is null"]);
        var faults = check(value).ToList();
        if (faults.Count == 0)
            return value;
        var places = PlacesIn(Encoding.UTF8.GetBytes(json));
        throw refuse([.. faults.Select(fault => $"line {places.GetValueOrDefault(fault.Path, 1)}, {fault.Path}: {fault.What}")]);
    }

    /// <summary>The serializer's words without its own types, and without the place, which stands before them already.</summary>
    private static string InPlainWords(string message)
    {
        var what = message.Split([" Path: ", " LineNumber: "], StringSplitOptions.None)[0].TrimEnd('.');
        return what switch
        {
            _ when what.StartsWith("The JSON value could not be converted", StringComparison.Ordinal) => "has a value of the wrong kind",
            _ when what.Contains("required properties including: ", StringComparison.Ordinal) => $"lacks {what.Split("including: ")[1]}",
            _ when what.Contains("could not be mapped", StringComparison.Ordinal) => $"has the unknown property '{what.Split('\'')[1]}'",
            _ => what,
        };
    }

    /// <summary>The line, from 1, on which the value of each path stands; in an object, the last one of a name.</summary>
    private static Dictionary<string, int> PlacesIn(ReadOnlySpan<byte> json)
    {
        var places = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase);
        var reader = new Utf8JsonReader(json);
        reader.Read();
        Walk(ref reader, json, "$");
        return places;

        void Walk(ref Utf8JsonReader reader, ReadOnlySpan<byte> json, string path)
        {
            places[path] = json[..(int)reader.TokenStartIndex].Count((byte)'\n') + 1;
            if (reader.TokenType is JsonTokenType.StartObject)
            {
                while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
                {
                    var name = reader.GetString();
                    reader.Read();
                    Walk(ref reader, json, $"{path}.{name}");
                }
            }
            else if (reader.TokenType is JsonTokenType.StartArray)
            {
                for (var i = 0; reader.Read() && reader.TokenType is not JsonTokenType.EndArray; i++)
                    Walk(ref reader, json, $"{path}[{i}]");
            }
        }
    }
}

/// <param name="Path">The JSON path of a value that is there, for example <c>$.entries[3].number</c>.</param>
/// <param name="What">What is wrong with it.</param>
internal readonly record struct JsonFault(string Path, string What);

/// <summary>A JSON file that somebody wrote for the recorder cannot be used; the message has every fault with its place.</summary>
public abstract class InvalidJsonFileException(string what, IReadOnlyList<string> faults)
    : Exception($"{what} cannot be used: {string.Join("; ", faults)}.")
{
    /// <summary>Each with line and JSON path.</summary>
    public IReadOnlyList<string> Faults { get; } = faults;
}
