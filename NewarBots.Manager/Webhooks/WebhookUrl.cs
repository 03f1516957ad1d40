using System.Net;
using System.Text;
using NewarBots.Manager.Bots;

namespace NewarBots.Manager.Webhooks;

/// <summary>Validates the URLs of webhooks.</summary>
internal static class WebhookUrl
{
    public const int MaxLength = CreateBotRequest.MaxWebhookUrlLength;

    /// <summary>
    /// Checks what the text alone shows. Host names are resolved later: <see cref="WebhookSender"/> checks the address of each connection.
    /// </summary>
    /// <returns>The URL, or its fault.</returns>
    public static (Uri? Url, string? Fault) Read(string? text, WebhookOptions options)
    {
        if (text is not { Length: > 0 and <= MaxLength })
            return (null, $"must be a URL of at most {MaxLength} characters");
        // Resolvers normalize Unicode letters and digits in different ways.
        if (!Ascii.IsValid(text))
            return (null, "must contain only ASCII characters: write host names as xn--… and percent-encode the rest");
        // URL parsers skip, escape or reject spaces and line breaks in different ways.
        if (text.Any(character => character <= ' ' || char.IsControl(character)))
            return (null, "must not contain spaces or control characters: percent-encode them");
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || !(url.Scheme == Uri.UriSchemeHttps || url.Scheme == Uri.UriSchemeHttp))
            return (null, "must be an absolute https URL");
        if (url.UserInfo.Length > 0)
            return (null, "must not contain a user name or password: messages are signed instead");
        if (url.Fragment.Length > 0)
            return (null, "must not contain a fragment");
        if (options.AllowPrivateAddresses || options.AllowLoopback is true && IsLoopback(url))
            return (url, null);
        if (url.Scheme != Uri.UriSchemeHttps)
            return (null, "must begin with https:; Webhooks__AllowPrivateAddresses=true allows http and private addresses");
        return IsPrivate(url)
            ? (null, "must not point to a private address; Webhooks__AllowPrivateAddresses=true allows it")
            : (url, null);
    }

    /// <summary>Detects localhost and private addresses in any notation, without resolving names.</summary>
    private static bool IsPrivate(Uri url) => IPAddress.TryParse(url.DnsSafeHost, out var address) ? !PublicAddress.IsPublic(address) : IsLoopback(url);

    private static bool IsLoopback(Uri url) => IPAddress.TryParse(url.DnsSafeHost, out var address)
        ? IPAddress.IsLoopback(address)
        : url.DnsSafeHost.TrimEnd('.') is var host && (host is "localhost" || host.EndsWith(".localhost", StringComparison.Ordinal));
}
