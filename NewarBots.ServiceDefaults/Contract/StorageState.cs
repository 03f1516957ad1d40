using System.Text.Json;
using System.Text.Json.Serialization;

namespace NewarBots.Contract;

/// <summary>
/// A signed-in account as Playwright saves it (<c>context.StorageStateAsync</c>): cookies, and what pages keep in
/// <c>localStorage</c>. What else such a file may hold, IndexedDB for one, is passed over. Its values are secrets: they are in no
/// message and in no <c>ToString</c>.
/// </summary>
public sealed record StorageState(IReadOnlyList<StoredCookie> Cookies, IReadOnlyList<StoredOrigin>? Origins = null)
{
    /// <exception cref="InvalidStorageStateException">Names every fault with its place.</exception>
    public static StorageState Parse(string json) => CheckedJson.Read(
        json, StorageStateJson.Default.StorageState, state => state.Faults(), faults => new InvalidStorageStateException(faults));

    private IEnumerable<JsonFault> Faults()
    {
        foreach (var (i, cookie) in Cookies.Index())
        {
            if (cookie is null)
            {
                yield return new($"$.cookies[{i}]", "is null");
                continue;
            }

            foreach (var (property, what) in cookie.Faults())
                yield return new($"$.cookies[{i}]{property}", what);
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
            yield return new("$", "holds neither a cookie nor an item of localStorage: nobody would be signed in");
    }
}

/// <param name="Name">Its name.</param>
/// <param name="Value">A secret.</param>
/// <param name="Domain">A host, or <c>.host</c> for the hosts below it too.</param>
/// <param name="Path">Begins with <c>/</c>.</param>
/// <param name="Expires">Unix time in seconds; -1 for the end of the browser.</param>
/// <param name="HttpOnly">No script may read it.</param>
/// <param name="Secure">For https only.</param>
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
    /// <summary>The last second of the year 9999: what Chromium takes.</summary>
    private const double LastExpiry = 253402300799;

    public override string ToString() => $"{Name} of {Domain}";

    /// <summary>What a browser would refuse it for, each with the property at fault as the end of a JSON path.</summary>
    internal IEnumerable<(string Property, string What)> Faults()
    {
        if (Name.Length == 0 || Name.Any(c => char.IsControl(c) || c is ';' or '='))
            yield return (".name", "must be a cookie's name");
        if (Value.Any(c => char.IsControl(c) || c is ';'))
            yield return (".value", "has a character that no cookie may have");
        if (Uri.CheckHostName(Domain.TrimStart('.')) is UriHostNameType.Unknown)
            yield return (".domain", $"'{Domain}' is no domain");
        if (!Path.StartsWith('/'))
            yield return (".path", $"must begin with / (it is '{Path}')");
        if (Expires is not (-1 or (>= 0 and <= LastExpiry)))
            yield return (".expires", "must be -1 or a Unix time in seconds");
        if (SameSite is CookieSameSite.None && !Secure)
            yield return (".sameSite", "None needs secure");
        if (Name.StartsWith("__Secure-", StringComparison.Ordinal) && !Secure)
            yield return (string.Empty, $"{Name} must be secure");
        if (Name.StartsWith("__Host-", StringComparison.Ordinal) && (!Secure || Path != "/" || Domain.StartsWith('.')))
            yield return (string.Empty, $"{Name} must be secure, of the path / and of one host");
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
/// <param name="LocalStorage">In any order.</param>
public sealed record StoredOrigin(string Origin, IReadOnlyList<StoredItem> LocalStorage)
{
    public override string ToString() => Origin;
}

/// <param name="Name">Its key.</param>
/// <param name="Value">A secret.</param>
public sealed record StoredItem(string Name, string Value)
{
    public override string ToString() => Name;
}

/// <summary>A storage state that cannot be used. It tells no value.</summary>
public sealed class InvalidStorageStateException(IReadOnlyList<string> faults) : InvalidJsonFileException("The storage state", faults);

[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    PropertyNameCaseInsensitive = false,
    NumberHandling = JsonNumberHandling.Strict,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(StorageState))]
internal sealed partial class StorageStateJson : JsonSerializerContext;
