using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;

namespace NewarBots.Manager.Api;

/// <summary>
/// A request's JSON, read by hand rather than by deserialization, which stops at the first mistake: a caller is told of every
/// field at fault at once, unknown ones included.
/// </summary>
internal static class RequestBody
{
    public const int MaxBytes = 64 * 1024;

    private const int MaxShownName = 64;

    private const string NotText = "must be valid Unicode text";

    public static ProblemHttpResult TooLong(int maxBytes) => ApiProblems.InvalidRequest("body", $"must have at most {maxBytes / 1024} KB");

    /// <returns><see langword="null"/> where the body is longer than <paramref name="maxBytes"/>; it is not read further.</returns>
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
            // The server says so of a chunk whose length is beyond all numbers.
            throw new BadHttpRequestException(broken.Message, broken);
        }

        return body.ToArray();
    }

    /// <returns>The request; or, with <see langword="null"/>, the faults by field (camelCase, dotted where nested).</returns>
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
                // A field's name is no text: JSON by its grammar, but with a lone surrogate or bytes that are no UTF-8.
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
                // An escaped lone surrogate: valid JSON grammar, but no text.
                faults.Add(field, NotText);
                return null;
            }
        }

        faults.Add(field, "must be a string");
        return null;
    }

    /// <summary>A caller's field name comes back in the answer: shortened, without control characters.</summary>
    public static string FieldName(string name) =>
        new([.. name.Take(MaxShownName).Select(c => char.IsControl(c) ? '?' : c)]);

    private static string FirstSentence(string message) => message.Split(". ")[0].TrimEnd('.') + ".";
}

/// <summary>What is wrong with a request, by field.</summary>
internal sealed class FaultList
{
    public Dictionary<string, string[]> ByField { get; } = [];

    public void Add(string field, string fault) =>
        ByField[field] = ByField.TryGetValue(field, out var earlier) ? [.. earlier, fault] : [fault];
}
