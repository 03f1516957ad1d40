using Microsoft.Net.Http.Headers;
using NewarBots.Manager.OpenApi;

namespace NewarBots.Manager.Api;

/// <summary>
/// What every answer tells browsers and caches, unless it says otherwise itself: it is what its type says and nothing else, runs
/// nothing, is nobody else's to show, and nobody else's to keep.
/// </summary>
internal static class ResponseHeaders
{
    private const string NothingRuns = "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    public static WebApplication UseResponseHeaders(this WebApplication app)
    {
        app.Use((context, next) =>
        {
            // At the last moment: whatever goes wrong before clears the headers.
            context.Response.OnStarting(Add, context);
            return next(context);
        });
        return app;
    }

    private static Task Add(object state)
    {
        var context = (HttpContext)state;
        var headers = context.Response.Headers;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        if (!headers.ContainsKey(HeaderNames.ContentSecurityPolicy))
            headers.ContentSecurityPolicy = ApiDescription.IsBrowsed(context.Request) ? ApiDescription.ContentSecurityPolicy : NothingRuns;
        if (!headers.ContainsKey(HeaderNames.CacheControl))
            headers.CacheControl = "private";
        return Task.CompletedTask;
    }
}
