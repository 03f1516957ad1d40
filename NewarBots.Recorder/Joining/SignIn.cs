using Microsoft.Playwright;
using NewarBots.Contract;

namespace NewarBots.Recorder.Joining;

/// <summary>Makes a new browser one that is signed in. A browser that keeps its profile takes no storage state when it is launched.</summary>
internal static class SignIn
{
    /// <param name="page">The browser's page; it shows nothing before and nothing after.</param>
    /// <param name="account">Checked.</param>
    /// <exception cref="PlaywrightException">The browser takes a part of it for none of the kind.</exception>
    public static async Task ApplyAsync(IPage page, StorageState account)
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
            await FillAsync(page, origins);
    }

    /// <summary>
    /// Each origin's storage is filled on an empty page at its address, which is answered here and never fetched. Nothing of one
    /// origin comes near a page of another, as it would with a script that all pages carry.
    /// </summary>
    private static async Task FillAsync(IPage page, IReadOnlyList<StoredOrigin> origins)
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
