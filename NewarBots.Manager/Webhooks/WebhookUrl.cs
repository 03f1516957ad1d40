using System.Net;
using System.Text;

namespace NewarBots.Manager.Webhooks;

/// <summary>Where a webhook may go.</summary>
internal static class WebhookUrl
{
    public const int MaxLength = 2048;

    /// <summary>
    /// What can be said before anything is sent. Where a name leads, only the moment of sending tells: <see cref="WebhookSender"/> looks
    /// then at the very address that it connects to.
    /// </summary>
    /// <returns>The fault; or, with <see langword="null"/>, the URL.</returns>
    public static (Uri? Url, string? Fault) Read(string? text, bool allowPrivate)
    {
        if (text is not { Length: > 0 and <= MaxLength })
            return (null, $"must be a URL of at most {MaxLength} characters");
        // What other letters become in a name, and which digits they stand for, is not left to whoever looks it up.
        if (!Ascii.IsValid(text))
            return (null, "must be written in ASCII: names as xn--…, all else percent-encoded");
        // Nor are blanks and line breaks, which readers of URLs leave out, escape or stumble over as each sees fit.
        if (text.Any(letter => letter <= ' ' || char.IsControl(letter)))
            return (null, "must not hold blanks or control characters: they are percent-encoded");
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || !(url.Scheme == Uri.UriSchemeHttps || url.Scheme == Uri.UriSchemeHttp))
            return (null, "must be an absolute https URL");
        if (url.UserInfo.Length > 0)
            return (null, "must not contain a user name or password: messages are signed instead");
        if (url.Fragment.Length > 0)
            return (null, "must not have a fragment");
        if (allowPrivate)
            return (url, null);
        if (url.Scheme != Uri.UriSchemeHttps)
            return (null, "must begin with https:; the setting Webhooks__AllowPrivateAddresses allows http, and private addresses");
        return IsInside(url)
            ? (null, "must not lead to a private address; the setting Webhooks__AllowPrivateAddresses allows it")
            : (url, null);
    }

    /// <summary>By its looks alone, in whatever digits an address is written.</summary>
    private static bool IsInside(Uri url) => IPAddress.TryParse(url.DnsSafeHost, out var address)
        ? !PublicAddress.Is(address)
        : url.DnsSafeHost.TrimEnd('.') is var host && (host is "localhost" || host.EndsWith(".localhost", StringComparison.Ordinal));
}
