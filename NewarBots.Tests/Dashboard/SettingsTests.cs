using Microsoft.AspNetCore.Http;
using Microsoft.Playwright;
using NewarBots.Tests.Access;
using NewarBots.Tests.Bots;
using NewarBots.Tests.Webhooks;
using static Microsoft.Playwright.Assertions;

namespace NewarBots.Tests.Dashboard;

/// <summary>The page's settings.</summary>
public sealed class SettingsTests(DashboardBrowser browser) : IClassFixture<DashboardBrowser>
{
    [Fact]
    public async Task Admin_creates_and_revokes_a_key_and_a_user_sees_no_keys()
    {
        await using var keyed = new KeyedManager();
        await keyed.InitializeAsync();
        await using var open = await browser.OpenAsync(keyed.Manager, "/#/settings");
        var page = open.Page;
        await SignInAsync(keyed.Admin);
        await Expect(page.GetByText("degraded").First).ToBeVisibleAsync();
        await Expect(page.GetByText("/nowhere/docker.sock")).ToBeVisibleAsync();
        await Expect(page.GetByText(keyed.Manager.Storage).First).ToBeVisibleAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "Create a key" }).ClickAsync();
        Assert.Empty(await open.FindFlawsAsync());
        await page.GetByRole(AriaRole.Button, new() { Name = "Create", Exact = true }).ClickAsync();
        await Expect(page.Locator("#field-name-error")).ToContainTextAsync("must have 1 to");
        await page.Locator("#field-name").FillAsync("Sales notes");
        await page.Locator("#field-userId").FillAsync("sales");
        await page.Locator("#field-userId").PressAsync("Enter");
        var secret = await page.Locator(".secret").TextContentAsync();
        Assert.Equal("sales", (string?)(await keyed.AskAsync(secret, "GET", "/session")).Body!["userId"]);
        Assert.Empty(await open.FindFlawsAsync());
        await page.GetByRole(AriaRole.Button, new() { Name = "Done" }).ClickAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "Revoke Sales notes" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Revoke" }).ClickAsync();
        await Expect(page.GetByText("Sales notes is revoked")).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Revoke Sales notes" })).ToHaveCountAsync(0);
        Assert.Equal("key-not-valid", (await keyed.AskAsync(secret, "GET", "/session")).Problem);

        await page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await SignInAsync(keyed.Anna);
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Webhooks" })).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "API keys" })).ToHaveCountAsync(0);
        await Expect(page.GetByText("An administrator sees the causes.")).ToBeVisibleAsync();
        Assert.Empty(await open.FindFlawsAsync());

        async Task SignInAsync(string key)
        {
            await page.Locator("#key").FillAsync(key);
            await page.Locator("#key").PressAsync("Enter");
        }
    }

    [Fact]
    public async Task Webhook_is_created_tested_redelivered_and_deleted()
    {
        await using var receiver = new WebhookReceiver { Answer = before => before == 0 ? Results.NoContent() : Results.StatusCode(418) };
        await receiver.StartAsync();
        await using var queueing = new QueueingManager { Settings = [("Webhooks__AllowPrivateAddresses", "true")] };
        await queueing.InitializeAsync();
        await using var open = await browser.OpenAsync(queueing.Manager, "/#/settings");
        var page = open.Page;
        await Expect(page.GetByText("./run keys add NAME --role admin")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Create a webhook" }).ClickAsync();
        await page.Locator("#field-url").FillAsync("nonsense");
        await page.GetByRole(AriaRole.Button, new() { Name = "Create", Exact = true }).ClickAsync();
        await Expect(page.Locator("#field-url-error")).Not.ToBeEmptyAsync();
        Assert.Empty(await open.FindFlawsAsync());
        await page.Locator("#field-url").FillAsync(receiver.Url);
        await page.Locator("#field-description").FillAsync("Minutes");
        await page.GetByLabel("bot.completed").CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Create", Exact = true }).ClickAsync();
        var secret = await page.Locator(".secret").TextContentAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Done" }).ClickAsync();
        await Expect(page.GetByText("bot.completed of default")).ToBeVisibleAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "Test Minutes" }).ClickAsync();
        await Expect(page.GetByText("answered 204")).ToBeVisibleAsync();
        Assert.True(Assert.Single(receiver.Received).IsSignedWith(secret!));
        Assert.Empty(await open.FindFlawsAsync());
        await page.GetByRole(AriaRole.Button, new() { Name = "Redeliver" }).ClickAsync();
        await Expect(page.GetByText("answered 418").First).ToBeVisibleAsync();
        Assert.Empty(await open.FindFlawsAsync());

        await page.GetByRole(AriaRole.Button, new() { Name = "Delete Minutes" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Delete" }).ClickAsync();
        await Expect(page.GetByText("Minutes is deleted")).ToBeVisibleAsync();
        await Expect(page.GetByText("A webhook calls your URL")).ToBeVisibleAsync();
    }
}
