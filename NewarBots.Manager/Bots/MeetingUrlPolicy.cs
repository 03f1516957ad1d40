using System.Net;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Options;

namespace NewarBots.Manager.Bots;

/// <summary>Section <c>Meetings</c>.</summary>
internal sealed class MeetingOptions
{
    public const string Section = "Meetings";

    public const string GoogleMeetHost = "meet.google.com";

    /// <summary>
    /// Hosts that bots may join, each as <c>host</c> (its scheme's default port) or <c>host:port</c>. Empty:
    /// <c>meet.google.com</c>. Plain http is allowed for any other host.
    /// </summary>
    public IList<string> AllowedHosts { get; } = [];
}

/// <summary>Decides which URLs a bot may join. Only hosts that are explicitly allowed are accepted.</summary>
internal sealed partial class MeetingUrlPolicy(
    IOptions<MeetingOptions> meetings, IOptions<RehearsalOptions> rehearsal, IServer server)
{
    private const int MaxLength = 2048;

    /// <returns>The meeting, or one sentence that explains the rejection.</returns>
    public (Uri? Url, Platform Platform, string? Fault) Check(string? text)
    {
        if (string.IsNullOrWhiteSpace(text))
            return Refused("is required: the meeting's address, for example https://meet.google.com/abc-defg-hij");
        if (text.Length > MaxLength || text.Any(char.IsControl))
            return Refused($"must be a URL of at most {MaxLength} characters without control characters");
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url))
            return Refused("must be an absolute URL, for example https://meet.google.com/abc-defg-hij");
        if (url.Scheme != Uri.UriSchemeHttps && url.Scheme != Uri.UriSchemeHttp)
            return Refused("must be an https URL");
        if (url.UserInfo.Length > 0)
            return Refused("must not contain a user name or password");
        // From here on the form that browsers use is checked, stored, compared and opened.
        url = Normalize(url);

        if (IsOwnRehearsal(url))
        {
            return IsReachableByBots(url.Port)
                ? (WithLocalhost(url), Platform.Rehearsal, null)
                : Refused($"is a rehearsal that bots cannot reach: they reach this machine over IPv4 only. Add http://127.0.0.1:{url.Port} to ASPNETCORE_URLS");
        }

        if (IsLinkLocal(url) || !IsAllowedHost(url))
            return Refused($"must be a meeting on one of the allowed hosts: {string.Join(", ", AllowedHosts)}");
        if (url.IsLoopback && url.HostNameType is UriHostNameType.IPv6)
            return Refused("must use localhost in place of [::1]: bots reach this machine over IPv4 only");
        if (url.Host != MeetingOptions.GoogleMeetHost)
            return (url, Platform.GoogleMeet, null);
        if (url.Scheme != Uri.UriSchemeHttps)
            return Refused("must be an https URL");
        return GoogleMeetPath.IsMatch(url.AbsolutePath)
            ? (url, Platform.GoogleMeet, null)
            : Refused("must name a meeting, for example https://meet.google.com/abc-defg-hij");

        static (Uri?, Platform, string?) Refused(string fault) => (null, default, fault);
    }

    /// <summary>A host can be written in many ways. This is the one that browsers use.</summary>
    public static Uri Normalize(Uri url) => new UriBuilder(url) { Host = url.IdnHost, Port = url.IsDefaultPort ? -1 : url.Port }.Uri;

    private IReadOnlyList<string> AllowedHosts =>
        meetings.Value.AllowedHosts is { Count: > 0 } hosts ? [.. hosts] : [MeetingOptions.GoogleMeetHost];

    private bool IsAllowedHost(Uri url) => AllowedHosts.Any(allowed =>
        allowed.Equals(url.IdnHost, StringComparison.OrdinalIgnoreCase) ? url.IsDefaultPort
        : allowed.Equals($"{url.IdnHost}:{url.Port}", StringComparison.OrdinalIgnoreCase));

    /// <summary>
    /// The rehearsal is served on the manager's own ports only. Bots must not reach any other port on this host, whatever the path.
    /// </summary>
    private bool IsOwnRehearsal(Uri url) =>
        rehearsal.Value.Enabled
        && url.IsLoopback
        && url.AbsolutePath.StartsWith($"{RehearsalOptions.Path}/", StringComparison.Ordinal)
        && OwnPorts.Contains(url.Port);

    private IEnumerable<int> OwnPorts => OwnAddresses.Select(address => address.Port);

    private IEnumerable<BindingAddress> OwnAddresses =>
        (server.Features.Get<IServerAddressesFeature>()?.Addresses ?? []).Select(BindingAddress.Parse);

    /// <summary>
    /// Bots' connections are forwarded to 127.0.0.1. IPv6 has a single loopback address, so over it the manager could not tell a bot, which
    /// may see rehearsals only, from a local caller.
    /// </summary>
    private bool IsReachableByBots(int port) => OwnAddresses.Any(own => own.Port == port
        && (!IPAddress.TryParse(own.Host, out var address) || address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any) || address.Equals(IPAddress.Loopback)));

    /// <summary>The recorder's browser translates localhost and 127.0.0.1, but not [::1].</summary>
    private static Uri WithLocalhost(Uri url) => url.HostNameType is UriHostNameType.IPv6 ? new UriBuilder(url) { Host = "localhost" }.Uri : url;

    private static bool IsLinkLocal(Uri url) =>
        IPAddress.TryParse(url.DnsSafeHost, out var address)
        && (address.IsIPv6LinkLocal || address.MapToIPv4().GetAddressBytes() is [169, 254, ..]);

    [GeneratedRegex("^/(?:[a-z]{3}-?[a-z]{4}-?[a-z]{3}|lookup/[A-Za-z0-9_-]+)/?$", RegexOptions.IgnoreCase, matchTimeoutMilliseconds: 100)]
    private static partial Regex GoogleMeetPath { get; }
}

/// <summary>Section <c>Rehearsal</c>: the stand-in meeting.</summary>
internal sealed class RehearsalOptions
{
    public const string Section = "Rehearsal";

    /// <summary>The path of the index; a meeting is at <c>/rehearsal/{code}</c>.</summary>
    public const string Path = "/rehearsal";

    /// <summary>Whether it is served; by default only in Development.</summary>
    public bool Enabled { get; set; }
}

/// <summary>
/// Decides whether two URLs are the same meeting. On Google Meet the path identifies it, and the query does not matter. A meeting code may be
/// written with or without its hyphens; in any other name they count. On any other page the query counts too (a rehearsal's scenario).
/// </summary>
internal static partial class MeetingIdentity
{
    public static string Of(Uri url)
    {
        if (url.Host != MeetingOptions.GoogleMeetHost)
            return url.GetLeftPart(UriPartial.Query);
        var path = url.AbsolutePath.TrimEnd('/').ToLowerInvariant();
        return url.Host + (MeetingCode.IsMatch(path) ? path.Replace("-", string.Empty, StringComparison.Ordinal) : path);
    }

    [GeneratedRegex("^/[a-z]{3}-?[a-z]{4}-?[a-z]{3}\\z", RegexOptions.None, matchTimeoutMilliseconds: 100)]
    private static partial Regex MeetingCode { get; }
}
