using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;
using NewarBots.Manager.Api;

namespace NewarBots.Manager.Access;

/// <summary>
/// What a page of another site can do here with the browser of whoever reaches the manager: link to a page, and nothing else. It
/// can neither send a bot nor open a stream, show the manager in a frame or play a recording.
/// </summary>
internal static class CrossSiteGuard
{
    private const string FetchSite = "Sec-Fetch-Site";

    private static readonly string[] OwnSites = ["same-origin", "none"];

    public static WebApplication UseForeignPageLimit(this WebApplication app)
    {
        app.Use((context, next) => IsOfForeignPage(context.Request) ? ApiProblems.CrossSiteRequest().ExecuteAsync(context) : next(context));
        return app;
    }

    /// <summary>
    /// By what browsers say of a request (https://www.w3.org/TR/fetch-metadata/); older ones say less, programs nothing. What would change
    /// something and is let in by a browser's cookie has to say that it is of the manager's own page.
    /// </summary>
    private static bool IsOfForeignPage(HttpRequest request)
    {
        var isLook = HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method);
        if (request.Headers.TryGetValue(FetchSite, out var site))
            return !OwnSites.Contains((string?)site) && !(isLook && IsLink(request.Headers));
        if (isLook)
            return false;
        return request.Headers.TryGetValue(HeaderNames.Origin, out var origin)
            ? !IsOwn(origin, request.Host)
            : request.Cookies.ContainsKey(SessionCookie.Name) && KeyAuthentication.Shown(request) is null;
    }

    private static bool IsLink(IHeaderDictionary headers) => headers["Sec-Fetch-Mode"] == "navigate" && headers["Sec-Fetch-Dest"] == "document";

    private static bool IsOwn(StringValues origin, HostString host) =>
        Uri.TryCreate(origin, UriKind.Absolute, out var page) && page.Authority.Equals(host.Value, StringComparison.OrdinalIgnoreCase);
}
