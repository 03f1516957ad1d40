using System.Text.Json;
using System.Text.Json.Serialization;

namespace NewarBots.Contract;

/// <summary>
/// A signed-in account as saved by Playwright (<c>context.StorageStateAsync</c>): cookies and <c>localStorage</c>. Other contents of such a
/// file, for example IndexedDB, are ignored. The values are secrets and appear in no message and no <c>ToString</c>.
/// </summary>
public sealed record StorageState(IReadOnlyList<StoredCookie> Cookies, IReadOnlyList<StoredOrigin>? Origins = null)
{
    /// <exception cref="InvalidStorageStateException">The message contains every error with its location.</exception>
    public static StorageState Parse(string json) => CheckedJson.Read(
        json, StorageStateJson.Default.StorageState, state => state.Errors(), faults => new InvalidStorageStateException(faults));

    private IEnumerable<JsonError> Errors()
    {
        foreach (var (i, cookie) in Cookies.Index())
        {
            if (cookie is null)
            {
                yield return new($"$.cookies[{i}]", "is null");
                continue;
            }

            foreach (var (property, message) in cookie.Errors())
                yield return new($"$.cookies[{i}]{property}", message);
        }

        foreach (var (i, origin) in (Origins ?? []).Index())
        {
            if (!Uri.TryCreate(origin?.Origin, UriKind.Absolute, out var url)
                || url.Scheme is not ("http" or "https")
                || url.GetLeftPart(UriPartial.Authority) != origin.Origin)
                yield return new(origin is null ? $"$.origins[{i}]" : $"$.origins[{i}].origin", "must be an http or https origin, for example https://meet.google.com");
            foreach (var (j, item) in (origin?.LocalStorage ?? []).Index())
            {
                if (item is null)
                    yield return new($"$.origins[{i}].localStorage[{j}]", "is null");
            }
        }

        if (Cookies.Count == 0 && (Origins ?? []).All(origin => origin?.LocalStorage is not { Count: > 0 }))
            yield return new("$", "has neither cookies nor localStorage items, so it signs nobody in");
    }
}

/// <param name="Name">The cookie's name.</param>
/// <param name="Value">A secret.</param>
/// <param name="Domain">A host, or <c>.host</c> to include its subdomains.</param>
/// <param name="Path">Begins with <c>/</c>.</param>
/// <param name="Expires">Unix time in seconds; -1 for a session cookie.</param>
/// <param name="HttpOnly">Hidden from scripts.</param>
/// <param name="Secure">Sent over https only.</param>
/// <param name="SameSite"><see langword="null"/>: the browser's default.</param>
public sealed record StoredCookie(
    string Name,
    string Value,
    string Domain,
    string Path = "/",
    double Expires = -1,
    bool HttpOnly = false,
    bool Secure = false,
    CookieSameSite? SameSite = null)
{
    /// <summary>The last second of the year 9999, which is Chromium's limit.</summary>
    private const double LastExpiry = 253402300799;

    public override string ToString() => $"{Name} of {Domain}";

    /// <summary>Reasons for which a browser would reject the cookie. Property is the end of the JSON path.</summary>
    internal IEnumerable<(string Property, string Message)> Errors()
    {
        if (Name.Length == 0 || Name.Any(c => char.IsControl(c) || c is ';' or '='))
            yield return (".name", "must be a valid cookie name");
        if (Value.Any(c => char.IsControl(c) || c is ';'))
            yield return (".value", "contains a character that is not allowed in cookies");
        if (Uri.CheckHostName(Domain.TrimStart('.')) is UriHostNameType.Unknown)
            yield return (".domain", $"'{Domain}' is not a domain");
        if (!Path.StartsWith('/'))
            yield return (".path", $"must begin with / (it is '{Path}')");
        if (Expires is not (-1 or (>= 0 and <= LastExpiry)))
            yield return (".expires", "must be -1 or a Unix time in seconds");
        if (SameSite is CookieSameSite.None && !Secure)
            yield return (".sameSite", "must not be None unless secure is true");
        if (Name.StartsWith("__Secure-", StringComparison.Ordinal) && !Secure)
            yield return (string.Empty, $"{Name} must be secure");
        if (Name.StartsWith("__Host-", StringComparison.Ordinal) && (!Secure || Path != "/" || Domain.StartsWith('.')))
            yield return (string.Empty, $"{Name} must be secure, with path / and without a leading dot in its domain");
    }
}

[JsonConverter(typeof(JsonStringEnumConverter<CookieSameSite>))]
public enum CookieSameSite
{
    Strict,
    Lax,
    None,
}

/// <param name="Origin">For example <c>https://meet.google.com</c>.</param>
/// <param name="LocalStorage">Items in any order.</param>
public sealed record StoredOrigin(string Origin, IReadOnlyList<StoredItem> LocalStorage)
{
    public override string ToString() => Origin;
}

/// <param name="Name">The key.</param>
/// <param name="Value">A secret.</param>
public sealed record StoredItem(string Name, string Value)
{
    public override string ToString() => Name;
}

/// <summary>A storage state is invalid. The message contains no secret values.</summary>
public sealed class InvalidStorageStateException(IReadOnlyList<string> faults) : InvalidJsonFileException("The storage state", faults);

[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    PropertyNameCaseInsensitive = false,
    NumberHandling = JsonNumberHandling.Strict,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(StorageState))]
internal sealed partial class StorageStateJson : JsonSerializerContext;
