using Microsoft.Playwright;
using NewarBots.Tests.Access;
using static Microsoft.Playwright.Assertions;

namespace NewarBots.Tests.Dashboard;

/// <summary>The page of a manager that has keys.</summary>
public sealed class PageKeyTests(KeyedManager keyed, PageBrowser browser) : IClassFixture<KeyedManager>, IClassFixture<PageBrowser>
{
    [Fact]
    public async Task The_page_asks_for_a_key_shows_its_users_bots_alone_and_forgets_it_when_signed_out()
    {
        var annas = await keyed.SendBotAsync(keyed.Anna);
        var berts = await keyed.SendBotAsync(keyed.Bert);
        await using var open = await browser.OpenAsync(keyed.Manager);
        var page = open.Page;

        await page.GetByLabel("Key").FillAsync("nwb_wrong");
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await Expect(page.GetByLabel("Key")).ToHaveAttributeAsync("aria-invalid", "true");
        Assert.Empty(await open.FlawsAsync());
        await page.GetByLabel("Key").FillAsync(keyed.Anna);
        await page.GetByLabel("Key").PressAsync("Enter");

        await Expect(page.Locator($"a[href$='{annas}']").First).ToBeVisibleAsync();
        await Expect(page.Locator($"a[href$='{berts}']")).ToHaveCountAsync(0);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await Expect(page.GetByLabel("Key")).ToBeVisibleAsync();
        await Expect(page.GetByLabel("Key")).ToHaveValueAsync("");
        await Expect(page.Locator($"a[href$='{annas}']")).ToHaveCountAsync(0);
    }
}
