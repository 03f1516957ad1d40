using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace NewarBots.Contract;

/// <summary>Reads and validates JSON that a person wrote. Every error has its line and JSON path.</summary>
internal static class CheckedJson
{
    /// <param name="json">The text.</param>
    /// <param name="type">The type to deserialize.</param>
    /// <param name="validate">Returns the errors of a deserialized value.</param>
    /// <param name="createException">Creates the exception from all errors.</param>
    public static T Read<T>(
        string json, JsonTypeInfo<T> type, Func<T, IEnumerable<JsonError>> validate, Func<IReadOnlyList<string>, Exception> createException)
    {
        T? value;
        try
        {
            value = JsonSerializer.Deserialize(json, type);
        }
        catch (JsonException exception)
        {
            throw createException([$"line {exception.LineNumber + 1}, {exception.Path ?? "$"}: {Describe(exception.Message)}"]);
        }

        if (value is null)
            throw createException(["line 1, $: is null"]);
        var errors = validate(value).ToList();
        if (errors.Count == 0)
            return value;
        var lines = LinesOf(Encoding.UTF8.GetBytes(json));
        throw createException([.. errors.Select(error => $"line {lines.GetValueOrDefault(error.Path, 1)}, {error.Path}: {error.Message}")]);
    }

    /// <summary>Removes .NET types and the location from the serializer's message.</summary>
    private static string Describe(string message)
    {
        var text = message.Split([" Path: ", " LineNumber: "], StringSplitOptions.None)[0].TrimEnd('.');
        return text switch
        {
            _ when text.StartsWith("The JSON value could not be converted", StringComparison.Ordinal) => "has a value of the wrong kind",
            _ when text.Contains("required properties including: ", StringComparison.Ordinal) => $"lacks {text.Split("including: ")[1]}",
            _ when text.Contains("could not be mapped", StringComparison.Ordinal) => $"has the unknown property '{text.Split('\'')[1]}'",
            _ => text,
        };
    }

    /// <summary>The line of each path's value, counted from 1. For a duplicated property, the last one wins.</summary>
    private static Dictionary<string, int> LinesOf(ReadOnlySpan<byte> json)
    {
        var lines = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase);
        var reader = new Utf8JsonReader(json);
        reader.Read();
        Walk(ref reader, json, "$");
        return lines;

        void Walk(ref Utf8JsonReader reader, ReadOnlySpan<byte> json, string path)
        {
            lines[path] = json[..(int)reader.TokenStartIndex].Count((byte)'\n') + 1;
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

/// <param name="Path">The JSON path of an existing value, for example <c>$.entries[3].number</c>.</param>
/// <param name="Message">Continues "Path: ", for example <c>is empty</c>.</param>
internal readonly record struct JsonError(string Path, string Message);

/// <summary>A JSON file for the recorder is invalid. The message contains every error with its location.</summary>
public abstract class InvalidJsonFileException(string file, IReadOnlyList<string> faults)
    : Exception($"{file} cannot be used: {string.Join("; ", faults)}.")
{
    /// <summary>Each error with its line and JSON path.</summary>
    public IReadOnlyList<string> Faults { get; } = faults;
}
