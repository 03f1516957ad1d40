using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;
using NewarBots.Manager.Api;

namespace NewarBots.Manager.Access;

/// <summary>
/// Rejects requests that pages of other sites make with the browser of an allowed caller. Such pages can only link to the manager: they cannot
/// send a bot, open a stream, frame a page or play a recording.
/// </summary>
internal static class CrossSiteGuard
{
    private const string FetchSite = "Sec-Fetch-Site";

    private static readonly string[] OwnSites = ["same-origin", "none"];

    public static WebApplication UseCrossSiteGuard(this WebApplication app)
    {
        app.Use((context, next) => IsCrossSite(context.Request) ? ApiProblems.CrossSiteRequest().ExecuteAsync(context) : next(context));
        return app;
    }

    /// <summary>
    /// Uses Fetch Metadata (https://www.w3.org/TR/fetch-metadata/), or the Origin header of older browsers; programs send neither. A request that
    /// changes something and is authenticated by cookie must carry one of them.
    /// </summary>
    private static bool IsCrossSite(HttpRequest request)
    {
        var isRead = HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method);
        if (request.Headers.TryGetValue(FetchSite, out var site))
            return !OwnSites.Contains((string?)site) && !(isRead && IsLink(request.Headers));
        if (isRead)
            return false;
        return request.Headers.TryGetValue(HeaderNames.Origin, out var origin)
            ? !IsOwn(origin, request.Host)
            : request.Cookies.ContainsKey(SessionCookie.Name) && KeyAuthentication.KeyOf(request) is null;
    }

    private static bool IsLink(IHeaderDictionary headers) => headers["Sec-Fetch-Mode"] == "navigate" && headers["Sec-Fetch-Dest"] == "document";

    private static bool IsOwn(StringValues origin, HostString host) =>
        Uri.TryCreate(origin, UriKind.Absolute, out var page) && page.Authority.Equals(host.Value, StringComparison.OrdinalIgnoreCase);
}
