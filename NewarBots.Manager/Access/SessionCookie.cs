namespace NewarBots.Manager.Access;

/// <summary>
/// Authenticates requests on which a page cannot set headers: event streams, audio, images, downloads. Scripts cannot read it, and
/// browsers do not send it on requests from other sites.
/// </summary>
internal static class SessionCookie
{
    public const string Name = "newarbots_session";

    public static void Set(HttpContext context, Credential session, DateTimeOffset expiresAt) =>
        context.Response.Cookies.Append(Name, session.Text, Options(context, expiresAt));

    public static void Clear(HttpContext context) => context.Response.Cookies.Delete(Name, Options(context, expiresAt: null));

    private static CookieOptions Options(HttpContext context, DateTimeOffset? expiresAt) => new()
    {
        HttpOnly = true,
        SameSite = SameSiteMode.Strict,
        Secure = context.Request.IsHttps || context.Request.Headers["X-Forwarded-Proto"] == "https",
        Path = "/",
        Expires = expiresAt,
    };
}
