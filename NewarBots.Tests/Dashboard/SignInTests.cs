using Microsoft.Playwright;
using NewarBots.Tests.Access;
using static Microsoft.Playwright.Assertions;

namespace NewarBots.Tests.Dashboard;

/// <summary>Signing in to a manager that has API keys.</summary>
public sealed class SignInTests(KeyedManager keyed, DashboardBrowser browser) : IClassFixture<KeyedManager>, IClassFixture<DashboardBrowser>
{
    [Fact]
    public async Task Signing_in_shows_only_the_users_own_bots_and_signing_out_forgets_the_key()
    {
        var annas = await keyed.SendBotAsync(keyed.Anna);
        var berts = await keyed.SendBotAsync(keyed.Bert);
        await using var open = await browser.OpenAsync(keyed.Manager);
        var page = open.Page;

        foreach (var (key, text) in ((string, string)[])[
            ("password", "Keys start with nwb_."), ("nwb_wrong", "This key has 9 characters instead of 81."), ($"{keyed.Anna[..^2]}zz", "it was revoked, mistyped, or belongs to another manager")])
        {
            await page.GetByLabel("API key").FillAsync(key);
            await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
            await Expect(page.Locator("#key-error")).ToContainTextAsync(text);
        }

        await Expect(page.GetByLabel("API key")).ToHaveAttributeAsync("aria-invalid", "true");
        Assert.Empty(await open.FindFlawsAsync());
        await page.GetByRole(AriaRole.Link, new() { Name = "How keys work" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1, Name = "Access" })).ToBeVisibleAsync();
        await page.GoBackAsync();
        await page.GetByLabel("API key").FillAsync(keyed.Anna);
        await page.GetByLabel("API key").PressAsync("Enter");

        await Expect(page.Locator($"a[href$='{annas}']").First).ToBeVisibleAsync();
        await Expect(page.Locator($"a[href$='{berts}']")).ToHaveCountAsync(0);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await Expect(page.GetByLabel("API key")).ToBeVisibleAsync();
        await Expect(page.GetByLabel("API key")).ToHaveValueAsync("");
        await Expect(page.Locator($"a[href$='{annas}']")).ToHaveCountAsync(0);
    }
}
