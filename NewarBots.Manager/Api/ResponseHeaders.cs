using Microsoft.Net.Http.Headers;
using NewarBots.Manager.Api.OpenApi;

namespace NewarBots.Manager.Api;

/// <summary>Default security and cache headers of every response: no sniffing, no scripts, no framing, no shared caches.</summary>
internal static class ResponseHeaders
{
    private const string StrictPolicy = "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    public static WebApplication UseResponseHeaders(this WebApplication app)
    {
        app.Use((context, next) =>
        {
            // Set just before the response starts, because the exception handler clears headers.
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
            headers.ContentSecurityPolicy = ApiDescription.IsPage(context.Request) ? ApiDescription.ContentSecurityPolicy : StrictPolicy;
        if (!headers.ContainsKey(HeaderNames.CacheControl))
            headers.CacheControl = "private";
        return Task.CompletedTask;
    }
}
