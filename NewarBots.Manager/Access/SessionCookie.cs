namespace NewarBots.Manager.Access;

/// <summary>
/// What a browser shows instead of a key, for what it fetches by itself and cannot be told headers for: event streams, audio,
/// pictures, downloads. No script can read it, and no other site can make the browser send it.
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
