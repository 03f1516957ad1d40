using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;

namespace NewarBots.Manager.Api;

/// <summary>
/// Reads JSON requests field by field, because deserialization stops at the first fault. Callers get all faults at once, including unknown fields.
/// </summary>
internal static class RequestBody
{
    public const int MaxBytes = 64 * 1024;

    private const int MaxShownName = 64;

    private const string NotText = "must be valid Unicode text";

    public static ProblemHttpResult TooLong(int maxBytes) => ApiProblems.InvalidRequest("body", $"must have at most {maxBytes / 1024} KB");

    /// <returns><see langword="null"/> if the body is longer than <paramref name="maxBytes"/>; the rest is not read.</returns>
    public static async Task<byte[]?> ReadAsync(HttpRequest request, int maxBytes, CancellationToken cancellation)
    {
        if (request.ContentLength > maxBytes)
            return null;
        using var body = new MemoryStream();
        var buffer = new byte[8192];
        int read;
        try
        {
            while ((read = await request.Body.ReadAsync(buffer, cancellation)) > 0)
            {
                if (body.Length + read > maxBytes)
                    return null;
                body.Write(buffer, 0, read);
            }
        }
        catch (IOException broken) when (broken is not BadHttpRequestException)
        {
            // Kestrel throws this for a chunk length that overflows.
            throw new BadHttpRequestException(broken.Message, broken);
        }

        return body.ToArray();
    }

    /// <returns>The request; or <see langword="null"/> and the faults by field (camelCase, dotted if nested).</returns>
    public static (T? Request, IReadOnlyDictionary<string, string[]> Faults) Read<T>(
        ReadOnlyMemory<byte> body, Func<JsonElement, FaultList, T> read) where T : class
    {
        var faults = new FaultList();
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(body, new JsonDocumentOptions { AllowDuplicateProperties = false });
        }
        catch (JsonException broken)
        {
            faults.Add("body", $"must be JSON: {FirstSentence(broken.Message)}");
            return (null, faults.ByField);
        }
        catch (InvalidOperationException)
        {
            faults.Add("body", NotText);
            return (null, faults.ByField);
        }

        using (document)
        {
            if (document.RootElement.ValueKind is not JsonValueKind.Object)
            {
                faults.Add("body", "must be a JSON object");
                return (null, faults.ByField);
            }

            T? request = null;
            try
            {
                request = read(document.RootElement, faults);
            }
            catch (InvalidOperationException)
            {
                // A field name is valid JSON but not valid text: a lone surrogate or invalid UTF-8.
                faults.Add("body", NotText);
            }

            return faults.ByField.Count == 0 ? (request, faults.ByField) : (null, faults.ByField);
        }
    }

    public static string? ReadString(JsonElement value, string field, FaultList faults)
    {
        if (value.ValueKind is JsonValueKind.String)
        {
            try
            {
                return value.GetString();
            }
            catch (InvalidOperationException)
            {
                // An escaped lone surrogate is valid JSON but not valid text.
                faults.Add(field, NotText);
                return null;
            }
        }

        faults.Add(field, "must be a string");
        return null;
    }

    /// <summary>Reads an array of words, each of them once.</summary>
    public static IReadOnlyList<string> ReadWords(JsonElement value, string field, IReadOnlyList<string> allowed, FaultList faults)
    {
        var words = new List<string>();
        foreach (var item in value.ValueKind is JsonValueKind.Array ? value.EnumerateArray() : [])
        {
            if (item.ValueKind is JsonValueKind.String && allowed.FirstOrDefault(word => item.ValueEquals(word)) is { } known)
                words.Add(known);
            else if (!faults.ByField.ContainsKey(field))
                faults.Add(field, $"must be one or more of {string.Join(", ", allowed)}");
        }

        if (value.ValueKind is not JsonValueKind.Array)
            faults.Add(field, $"must be an array of {string.Join(", ", allowed)}");
        return [.. words.Distinct()];
    }

    /// <summary>A caller's field name for use in the response: shortened, without control characters.</summary>
    public static string FieldName(string name) =>
        new([.. name.Take(MaxShownName).Select(c => char.IsControl(c) ? '?' : c)]);

    private static string FirstSentence(string message) => message.Split(". ")[0].TrimEnd('.') + ".";
}

/// <summary>The faults of a request, by field.</summary>
internal sealed class FaultList
{
    public Dictionary<string, string[]> ByField { get; } = [];

    public void Add(string field, string fault) =>
        ByField[field] = ByField.TryGetValue(field, out var earlier) ? [.. earlier, fault] : [fault];
}
