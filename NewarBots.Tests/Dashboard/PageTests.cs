using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using NewarBots.Contract;
using NewarBots.Manager.Hosting;
using NewarBots.Tests.Bots;
using NewarBots.Tests.Fixtures;
using static Microsoft.Playwright.Assertions;

namespace NewarBots.Tests.Dashboard;

/// <summary>The page in a real Chromium, with bots that wait for an engine that is not there.</summary>
public sealed partial class PageTests(QueueingManager queueing, PageBrowser browser) : IClassFixture<QueueingManager>, IClassFixture<PageBrowser>
{
    private const string Hostile = "<img src=x onerror=globalThis.ran=1><b>bold</b>";

    private static readonly RouteFulfillOptions Busy = new()
    {
        Status = (int)HttpStatusCode.TooManyRequests,
        ContentType = "application/problem+json",
        Body = """{"detail": "Too many at once."}""",
    };

    private static int _meetings;

    [Fact]
    public async Task Html_in_the_names_of_bots_meetings_and_speakers_shows_as_text_also_where_no_policy_holds_it()
    {
        var id = await PlacedBots.RecordedAsync(queueing, Hostile);
        await using var open = await browser.OpenAsync(queueing.Manager, withoutPolicy: true);
        var page = open.Page;
        await page.GetByLabel("Search").FillAsync($"{id}");
        var row = page.GetByRole(AriaRole.Listitem).GetByRole(AriaRole.Link);
        await Expect(row.Locator(".name")).ToHaveTextAsync(Hostile);

        await row.ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1, Name = Hostile })).ToBeVisibleAsync();
        await Expect(page.Locator(".bot-error")).ToContainTextAsync(Hostile);
        await Expect(page.Locator(".facts dt").Last).ToHaveTextAsync(Hostile);
        await Expect(page.Locator(".facts dd").Last).ToHaveTextAsync(Hostile);
        await Expect(page.Locator(".lane-names span").Nth(1)).ToHaveTextAsync(Hostile);
        await Expect(page.Locator(".lane-names span").Nth(2)).ToHaveTextAsync(Hostile);
        await Expect(page.Locator(".gaps")).ToContainTextAsync(Hostile.Replace('_', ' '));
        await Expect(page.Locator(".log")).ToHaveTextAsync(Hostile);
        await Expect(page.Locator(".wave path")).ToBeAttachedAsync();

        await Expect(page.Locator("main :is(img, b)")).ToHaveCountAsync(0);
        Assert.Equal("undefined", await page.EvaluateAsync<string>("typeof globalThis.ran"));
        Assert.Empty(open.Complaints);
    }

    [Fact]
    public async Task A_tab_that_nobody_sees_keeps_no_connection_and_knows_everything_when_it_is_seen_again()
    {
        var (stopped, name) = ($"Stopped {SessionId.New(TimeProvider.System)}", $"Unseen {SessionId.New(TimeProvider.System)}");
        var id = await QueueAsync(stopped, "anna");
        await using var open = await browser.OpenAsync(queueing.Manager, "/page/page.css");
        var page = open.Page;
        await page.RunAndWaitForRequestAsync(() => page.GotoAsync("/"), IsStream);
        var row = page.GetByRole(AriaRole.Listitem).Filter(new() { HasText = stopped });
        await Expect(row).ToContainTextAsync("queued", new() { IgnoreCase = true });

        var givenUp = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        page.RequestFailed += (_, request) =>
        {
            if (IsStream(request))
                givenUp.TrySetResult();
        };
        await SeeAsync(false);
        await givenUp.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        await QueueAsync(name, "anna");
        await queueing.Manager.PostAsync($"/bots/{id}/stop");
        await page.RunAndWaitForRequestAsync(() => SeeAsync(true), IsStream);

        await Expect(page.GetByText(name)).ToBeVisibleAsync();
        await Expect(row).Not.ToContainTextAsync("queued", new() { IgnoreCase = true });
        Assert.Empty(open.Complaints);

        static bool IsStream(IRequest request) => new Uri(request.Url).AbsolutePath == "/bots/events";

        Task SeeAsync(bool isSeen) => page.EvaluateAsync(
            "hidden => { Object.defineProperty(document, 'hidden', { value: hidden, configurable: true }); document.dispatchEvent(new Event('visibilitychange')); }",
            !isSeen);
    }

    [Fact]
    public async Task A_recording_shows_its_time_and_its_gaps_and_a_gap_can_be_gone_to()
    {
        var id = await PlacedBots.RecordedAsync(queueing, "Weekly");
        await using var open = await browser.OpenAsync(queueing.Manager, $"/#/bots/{id}");
        var page = open.Page;
        await Expect(page.Locator(".wave path")).ToBeAttachedAsync();
        await Expect(page.Locator(".lane")).ToHaveCountAsync(2);
        await Expect(page.Locator(".lane").First.Locator("span")).ToHaveCountAsync(3);
        await Expect(page.Locator(".ticks")).ToHaveTextAsync("0:000:100:200:300:400:50");
        await Expect(page.Locator("audio")).ToHaveJSPropertyAsync("readyState", 4);

        await page.GetByRole(AriaRole.Button, new() { Name = "0:20", Exact = true }).PressAsync("Enter");

        await Expect(page.Locator("audio")).ToHaveJSPropertyAsync("currentTime", 20);
        Assert.Empty(await open.FlawsAsync());
        Assert.Empty(open.Complaints);
    }

    [Fact]
    public async Task Why_a_bot_failed_and_what_its_pictures_show_is_said_in_plain_words()
    {
        var id = await PlacedBots.DeniedAsync(queueing);
        await using var open = await browser.OpenAsync(queueing.Manager, $"/#/bots/{id}");
        var page = open.Page;

        await Expect(page.Locator(".bot-error strong")).ToHaveTextAsync("The host refused to let the bot in.");
        await Expect(page.GetByText("Nothing was recorded.")).ToBeVisibleAsync();
        await Expect(page.Locator("figcaption")).ToHaveCountAsync(2);
        await Expect(page.Locator("figcaption").First).ToContainTextAsync(": unexpected");
        await Expect(page.Locator("figcaption").Last).ToHaveTextAsync(CaptionOfARefusal);
        Assert.Empty(await open.FlawsAsync());
        Assert.Empty(open.Complaints);
    }

    [Fact]
    public async Task What_is_wrong_with_a_request_is_said_at_the_field_at_fault()
    {
        await using var open = await browser.OpenAsync(queueing.Manager);
        var page = open.Page;
        await page.GetByRole(AriaRole.Button, new() { Name = "Send a bot" }).ClickAsync();
        await page.GetByLabel("Meeting address").FillAsync("http://elsewhere.example/abc");
        await page.GetByLabel("User", new() { Exact = true }).FillAsync("No One");
        await page.GetByRole(AriaRole.Button, new() { Name = "Send", Exact = true }).ClickAsync();

        await Expect(page.GetByLabel("User", new() { Exact = true })).ToHaveAttributeAsync("aria-invalid", "true");
        await Expect(page.Locator("#field-userId-fault")).ToContainTextAsync("a-z 0-9 - _");
        await Expect(page.Locator("#field-meetingUrl-fault")).Not.ToBeEmptyAsync();
        await Expect(page.GetByLabel("Meeting address")).ToBeFocusedAsync();
        Assert.Empty(await open.FlawsAsync());
    }

    [Fact]
    public async Task A_bot_is_scheduled_in_the_readers_own_time_changed_and_cancelled()
    {
        var today = TimeProvider.System.GetUtcNow().ToOffset(PageBrowser.Offset);
        var startAt = new DateTimeOffset(today.Date.AddDays(3).AddHours(9), PageBrowser.Offset);
        await using var open = await browser.OpenAsync(queueing.Manager);
        var page = open.Page;
        var when = page.GetByLabel("Start at");
        await page.GetByRole(AriaRole.Button, new() { Name = "Send a bot" }).ClickAsync();
        await page.GetByLabel("Meeting address").FillAsync(Meeting());

        await SendAsync(today.AddHours(-1));
        await Expect(page.Locator("#field-startAt-fault")).ToHaveTextAsync("must not lie in the past");
        await SendAsync(today.AddDays(31));
        await Expect(page.Locator("#field-startAt-fault")).ToContainTextAsync("at most 30 days ahead");
        await Expect(when).ToBeFocusedAsync();
        await SendAsync(startAt);
        await Expect(page.GetByText($"starts {startAt:ddd d MMM}, 09:00")).ToBeVisibleAsync();
        var id = page.Url.Split('/')[^1];
        Assert.Equal(startAt, (DateTimeOffset)(await queueing.Manager.GetAsync($"/bots/{id}")).Body!["startAt"]!);

        await page.GetByRole(AriaRole.Button, new() { Name = "Change start" }).ClickAsync();
        await Expect(when).ToHaveValueAsync($"{startAt:yyyy-MM-dd'T'HH:mm}");
        await when.FillAsync($"{startAt.AddMinutes(90):yyyy-MM-dd'T'HH:mm}");
        await when.PressAsync("Enter");
        await Expect(page.GetByText($"starts {startAt:ddd d MMM}, 10:30")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "All bots" }).ClickAsync();
        await Expect(page.Locator($"a[href='#/bots/{id}']")).ToContainTextAsync("10:30");
        await page.Locator($"a[href='#/bots/{id}']").ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Cancel" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Cancel it" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Delete" })).ToBeVisibleAsync();
        Assert.Equal("stop_requested", (string?)(await queueing.Manager.GetAsync($"/bots/{id}")).Body!["reason"]);

        async Task SendAsync(DateTimeOffset moment)
        {
            await when.FillAsync($"{moment:yyyy-MM-dd'T'HH:mm}");
            await page.GetByRole(AriaRole.Button, new() { Name = "Send", Exact = true }).ClickAsync();
        }
    }

    [Fact]
    public async Task A_bot_that_was_sent_elsewhere_appears_by_itself()
    {
        await using var open = await browser.OpenAsync(queueing.Manager);
        await Expect(open.Page.GetByText("Live", new() { Exact = true })).ToBeVisibleAsync();
        var id = await QueueAsync("Sent elsewhere", "elsewhere");

        await Expect(open.Page.Locator($"a[href='#/bots/{id}']")).ToBeVisibleAsync();
        await Expect(open.Page.Locator($"a[href='#/bots/{id}']")).ToContainTextAsync("queued");
    }

    [Fact]
    public async Task A_bot_that_is_deleted_elsewhere_leaves_the_list_and_its_page_says_so()
    {
        var id = await PlacedBots.DeniedAsync(queueing);
        await using var list = await browser.OpenAsync(queueing.Manager);
        await using var own = await browser.OpenAsync(queueing.Manager, "/page/icon.svg");
        await own.Page.RunAndWaitForResponseAsync(
            () => own.Page.GotoAsync($"/#/bots/{id}"), response => response.Url.Contains("/bots/events?", StringComparison.Ordinal));
        await Expect(own.Page.GetByText("Ended", new() { Exact = true })).ToBeVisibleAsync();
        var row = list.Page.Locator($"a[href='#/bots/{id}']");
        await Expect(row).ToBeVisibleAsync();
        await Expect(list.Page.GetByText("Live", new() { Exact = true })).ToBeVisibleAsync();

        await PlacedBots.DeleteAsync(queueing, id);

        await Expect(row).ToHaveCountAsync(0);
        await Expect(own.Page.GetByRole(AriaRole.Alert).GetByRole(AriaRole.Heading)).ToContainTextAsync("was deleted");
        await Expect(own.Page.GetByText("What the bot’s browser showed")).ToHaveCountAsync(0);
        Assert.Empty(await own.FlawsAsync());
        Assert.Empty(list.Complaints);
    }

    [Fact]
    public async Task More_bots_than_one_page_of_the_api_are_shown_and_found()
    {
        const string user = "many";
        for (var i = 0; i < 205; i++)
            await QueueAsync($"Number {i}.", user);
        await using var open = await browser.OpenAsync(queueing.Manager);
        var rows = open.Page.GetByRole(AriaRole.List, new() { Name = "Bots" }).GetByRole(AriaRole.Listitem);

        await Expect(rows.Nth(199)).ToBeAttachedAsync();
        await open.Page.GetByRole(AriaRole.Button, new() { Name = "Show older ones" }).ClickAsync();
        await open.Page.GetByLabel("Search").FillAsync($"{user} Number");
        await Expect(rows).ToHaveCountAsync(205);
        await open.Page.GetByLabel("Search").FillAsync($"{user} 203.");
        await Expect(rows).ToHaveCountAsync(1);
        Assert.Empty(await open.FlawsAsync());
        await open.Page.GetByLabel("Status").SelectOptionAsync("completed");
        await Expect(open.Page.GetByText("No bot is like that")).ToBeVisibleAsync();

        Assert.Empty(await open.FlawsAsync());
        Assert.Empty(open.Complaints);
    }

    [Fact]
    public async Task A_bot_is_stopped_by_keyboard_alone_and_what_cannot_be_done_is_said_in_the_dialog()
    {
        var id = await QueueAsync("By keyboard", "keyboard");
        await using var open = await browser.OpenAsync(queueing.Manager, $"/#/bots/{id}", width: 360);
        var page = open.Page;

        await page.GetByRole(AriaRole.Button, new() { Name = "Stop" }).PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Cancel" })).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Tab");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Delete" })).ToBeVisibleAsync();
        Assert.Equal("stop_requested", (string?)(await queueing.Manager.GetAsync($"/bots/{id}")).Body!["reason"]);

        // The engine that is not there is asked for the bot's container.
        await page.GetByRole(AriaRole.Button, new() { Name = "Delete" }).PressAsync("Enter");
        await page.Keyboard.PressAsync("Tab");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Alert)).ToContainTextAsync("cannot be reached");
        Assert.Empty(await open.FlawsAsync());
        await page.Keyboard.PressAsync("Escape");
        await Expect(page.GetByRole(AriaRole.Dialog)).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task Bots_are_counted_by_whether_they_are_active_or_scheduled()
    {
        const string user = "counted";
        await QueueAsync("Now", user);
        await QueueAsync("Later", user, TimeProvider.System.GetUtcNow().AddDays(1));
        await using var open = await browser.OpenAsync(queueing.Manager);

        await open.Page.GetByLabel("Search").FillAsync(user);

        await Expect(open.Page.Locator(".count")).ToHaveTextAsync(Counted);
    }

    [Fact]
    public async Task The_rehearsals_fit_on_a_phone_and_have_no_flaws()
    {
        await using var open = await browser.OpenAsync(queueing.Manager, "/rehearsal", withoutPolicy: true);

        Assert.Empty(await open.FlawsAsync());
    }

    [Fact]
    public async Task A_bot_that_is_not_there_is_said_to_be_not_there()
    {
        await using var open = await browser.OpenAsync(queueing.Manager, "/#/bots/0199aaaabbbbccccddddeeeeffff0001");

        await Expect(open.Page.GetByRole(AriaRole.Heading, new() { Name = "There is no such bot" })).ToBeVisibleAsync();
        Assert.Empty(await open.FlawsAsync());
    }

    [Fact]
    public async Task What_the_manager_refuses_is_said_and_asked_for_again()
    {
        await using var open = await browser.OpenAsync(queueing.Manager, "/page/icon.svg");
        var page = open.Page;
        await page.RouteAsync("**/bots?*", route => route.FulfillAsync(Busy));
        await page.RouteAsync("**/bots/events", route => route.FulfillAsync(Busy));
        await page.GotoAsync("/");
        await Expect(page.GetByText("The bots cannot be shown")).ToBeVisibleAsync();
        await Expect(page.GetByText("Too many at once.")).ToBeVisibleAsync();
        await Expect(page.GetByText("trying again")).ToBeVisibleAsync();
        Assert.Empty(await open.FlawsAsync());

        await page.UnrouteAllAsync();

        await Expect(page.GetByText("Live", new() { Exact = true })).ToBeVisibleAsync(new() { Timeout = 15_000 });
        await Expect(page.GetByText("The bots cannot be shown")).Not.ToBeVisibleAsync();
    }

    [Fact]
    public async Task What_the_network_lost_while_the_page_was_opened_comes_when_the_network_is_back()
    {
        var id = await PlacedBots.RecordedAsync(queueing, "Lost");
        await using var open = await browser.OpenAsync(queueing.Manager, "/page/icon.svg");
        var page = open.Page;
        await page.RouteAsync("**/bots?*", route => route.AbortAsync());
        await page.RouteAsync("**/bots/**", route => route.AbortAsync());
        await page.GotoAsync("/");
        await Expect(page.GetByText("The bots cannot be shown")).ToBeVisibleAsync();
        await page.GotoAsync($"/#/bots/{id}");
        await Expect(page.GetByText("The bot cannot be shown")).ToBeVisibleAsync();
        Assert.Empty(await open.FlawsAsync());

        await page.UnrouteAllAsync();

        await Expect(page.Locator(".wave path")).ToBeAttachedAsync(new() { Timeout = 30_000 });
        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1, Name = "Lost" })).ToBeVisibleAsync();
        await Expect(page.GetByText("The bot cannot be shown")).ToHaveCountAsync(0);

        await page.RouteAsync("**/bots/*/manifest", route => route.AbortAsync());
        await page.ReloadAsync();
        await Expect(page.GetByText("The manager cannot be reached.")).ToBeVisibleAsync();
        await page.UnrouteAllAsync();
        await page.EvaluateAsync("dispatchEvent(new Event('online'))");
        await Expect(page.Locator(".lane")).ToHaveCountAsync(2);

        await page.RouteAsync("**/bots?*", route => route.AbortAsync());
        await page.GotoAsync("/#/");
        await Expect(page.GetByText("The bots cannot be shown")).ToBeVisibleAsync();
        await page.UnrouteAllAsync();
        await page.EvaluateAsync("dispatchEvent(new Event('online'))");
        await Expect(page.Locator($"a[href='#/bots/{id}']")).ToBeVisibleAsync();
    }

    [Theory]
    [InlineData("words.js")]
    [InlineData("page.css")]
    public async Task What_the_network_lost_of_the_page_itself_is_loaded_again(string file)
    {
        await using var open = await browser.OpenAsync(queueing.Manager, "/page/icon.svg");
        var asked = 0;
        await open.Page.RouteAsync($"**/page/{file}", route => Interlocked.Increment(ref asked) == 1 ? route.AbortAsync() : route.ContinueAsync());
        await open.Page.GotoAsync("/");

        await Eventually.TrueAsync(() => asked > 1);
        await Expect(open.Page.GetByRole(AriaRole.Heading, new() { Name = "Bots", Exact = true })).ToBeVisibleAsync(new() { Timeout = 30_000 });
    }

    [Fact]
    public async Task The_page_runs_no_script_but_the_managers_and_takes_no_html_from_scripts()
    {
        using var response = await queueing.Manager.Api.GetAsync(new Uri("/", UriKind.Relative), TestContext.Current.CancellationToken);

        var policy = Assert.Single(response.Headers.GetValues("Content-Security-Policy"));
        Assert.Contains("script-src 'self';", policy, StringComparison.Ordinal);
        Assert.Contains("require-trusted-types-for 'script'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
    }

    private async Task<string> QueueAsync(string botName, string userId, DateTimeOffset? startAt = null)
    {
        var (status, bot) = await queueing.Manager.PostAsync("/bots", JsonSerializer.Serialize(new { meetingUrl = Meeting(), botName, userId, startAt }));
        Assert.True(status is HttpStatusCode.Accepted, $"{status}: {bot}");
        return (string)bot!["id"]!;
    }

    private static string Meeting()
    {
        var meeting = Interlocked.Increment(ref _meetings);
        char Letter(int place) => (char)('a' + (meeting / place % 26));
        return $"https://meet.google.com/pag-{Letter(17576)}{Letter(676)}{Letter(26)}{Letter(1)}-abc";
    }

    /// <summary>With a plus where other tests have sent more than a page of bots: then the older ones are not there yet.</summary>
    [GeneratedRegex(@"^2\+? bots, 1 active, 1 scheduled$", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Counted { get; }

    [GeneratedRegex(@"^What the bot’s browser showed at \d\d:\d\d:\d\d\. The host refused to let the bot in\.$", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex CaptionOfARefusal { get; }
}
