using Microsoft.Playwright;
using NewarBots.Contract;

namespace NewarBots.Recorder.Joining;

/// <summary>
/// Loads an account's cookies and local storage into a new browser. Playwright does not accept a storage state when it launches a
/// browser with a persistent profile.
/// </summary>
internal static class StorageStateLoader
{
    /// <param name="page">The browser's page; blank before and after the call.</param>
    /// <param name="account">A validated storage state.</param>
    /// <exception cref="PlaywrightException">The browser rejected a cookie or an origin.</exception>
    public static async Task LoadAsync(IPage page, StorageState account)
    {
        await page.Context.AddCookiesAsync(account.Cookies.Select(cookie => new Cookie
        {
            Name = cookie.Name,
            Value = cookie.Value,
            Domain = cookie.Domain,
            Path = cookie.Path,
            Expires = (float)cookie.Expires,
            HttpOnly = cookie.HttpOnly,
            Secure = cookie.Secure,
            SameSite = cookie.SameSite switch
            {
                CookieSameSite.Strict => SameSiteAttribute.Strict,
                CookieSameSite.Lax => SameSiteAttribute.Lax,
                CookieSameSite.None => SameSiteAttribute.None,
                _ => null,
            },
        }));

        if ((account.Origins ?? []).Where(origin => origin.LocalStorage.Count > 0).ToList() is { Count: > 0 } origins)
            await FillLocalStorageAsync(page, origins);
    }

    /// <summary>
    /// Fills each origin's storage on an empty page at that origin. The page is answered here and never fetched, so no data of one
    /// origin reaches another, as it would with an init script that runs in every page.
    /// </summary>
    private static async Task FillLocalStorageAsync(IPage page, IReadOnlyList<StoredOrigin> origins)
    {
        await page.RouteAsync("**/*", route => route.FulfillAsync(new() { ContentType = "text/html", Body = "<!doctype html>" }));
        foreach (var origin in origins)
        {
            await page.GotoAsync(origin.Origin);
            await page.EvaluateAsync(
                "items => items.forEach(([name, value]) => localStorage.setItem(name, value))",
                origin.LocalStorage.Select(item => new[] { item.Name, item.Value }));
        }

        await page.UnrouteAllAsync();
        await page.GotoAsync("about:blank");
    }
}
