using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using NewarBots.Contract;
using NewarBots.Tests.Bots;
using NewarBots.Tests.Fixtures;
using StackExchange.Redis;
using static Microsoft.Playwright.Assertions;

namespace NewarBots.Tests.Dashboard;

/// <summary>The dashboard in a real Chromium. The manager's Docker engine is unreachable, so bots stay queued.</summary>
public sealed partial class DashboardPageTests(QueueingManager queueing, DashboardBrowser browser) : IClassFixture<QueueingManager>, IClassFixture<DashboardBrowser>
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
    public async Task Html_in_names_is_shown_as_text_even_without_the_content_security_policy()
    {
        var id = await PlacedBots.RecordedAsync(queueing, Hostile);
        await using var open = await browser.OpenAsync(queueing.Manager, withoutPolicy: true);
        var page = open.Page;
        await page.GetByLabel("Search").FillAsync($"{id}");
        var row = page.Locator($"a[href='#/bots/{id}']");
        await Expect(row.Locator(".name")).ToHaveTextAsync(Hostile);

        await row.ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1, Name = Hostile })).ToBeVisibleAsync();
        await page.Locator("summary").Filter(new() { HasText = "Evidence" }).ClickAsync();
        await Expect(page.Locator(".technical")).ToContainTextAsync(Hostile);
        await Expect(page.Locator(".facts dt").Last).ToHaveTextAsync(Hostile);
        await Expect(page.Locator(".facts dd").Last).ToHaveTextAsync(Hostile);
        await Expect(page.Locator(".lane-names span").Nth(1)).ToHaveTextAsync(Hostile);
        await Expect(page.Locator(".lane-names span").Nth(2)).ToHaveTextAsync(Hostile);
        await Expect(page.Locator(".gaps")).ToContainTextAsync(Hostile.Replace('_', ' '));
        await page.Locator("summary").Filter(new() { HasText = "Separate tracks" }).ClickAsync();
        await Expect(page.Locator(".track-files li span").First).ToHaveTextAsync(Hostile);
        await page.Locator("summary").Filter(new() { HasText = "Log" }).ClickAsync();
        await Expect(page.Locator(".log .line").First).ToHaveTextAsync(Hostile);
        await Expect(page.Locator(".wave path")).ToBeAttachedAsync();

        await Expect(page.Locator("main :is(img, b)")).ToHaveCountAsync(0);
        Assert.Equal("undefined", await page.EvaluateAsync<string>("typeof globalThis.ran"));
        Assert.Empty(open.ConsoleErrors);
    }

    [Fact]
    public async Task Hidden_tab_closes_its_event_stream_and_catches_up_when_visible_again()
    {
        var token = $"{SessionId.New(TimeProvider.System)}";
        var (stopped, name) = ($"Stopped {token}", $"Unseen {token}");
        var id = await QueueAsync(stopped, "anna");
        await using var open = await browser.OpenAsync(queueing.Manager, "/page/page.css");
        var page = open.Page;
        await page.RunAndWaitForRequestAsync(() => page.GotoAsync($"/#/?q={token}"), IsStream);
        var row = page.GetByRole(AriaRole.Listitem).Filter(new() { HasText = stopped });
        await Expect(row).ToContainTextAsync("queued", new() { IgnoreCase = true });

        var streamClosed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        page.RequestFailed += (_, request) =>
        {
            if (IsStream(request))
                streamClosed.TrySetResult();
        };
        await SetVisibleAsync(false);
        await streamClosed.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        await QueueAsync(name, "anna");
        await queueing.Manager.PostAsync($"/bots/{id}/stop");
        await page.RunAndWaitForRequestAsync(() => SetVisibleAsync(true), IsStream);

        await Expect(page.GetByText(name)).ToBeVisibleAsync();
        await Expect(row).Not.ToContainTextAsync("queued", new() { IgnoreCase = true });
        Assert.Empty(open.ConsoleErrors);

        static bool IsStream(IRequest request) => new Uri(request.Url).AbsolutePath == "/bots/events";

        Task SetVisibleAsync(bool isVisible) => page.EvaluateAsync(
            "hidden => { Object.defineProperty(document, 'hidden', { value: hidden, configurable: true }); document.dispatchEvent(new Event('visibilitychange')); }",
            !isVisible);
    }

    [Fact]
    public async Task Recording_shows_a_time_axis_and_gaps_and_a_click_on_a_gap_seeks_to_it()
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
        Assert.Empty(await open.FindFlawsAsync());
        Assert.Empty(open.ConsoleErrors);
    }

    [Theory]
    [InlineData(7.1, GapCause.NotHeard, "52.9 of 60.0 s are missing. The bot received audio that it could not capture, or its connection to the call was lost.", "52.9 s", "completed, partial")]
    [InlineData(50, GapCause.CaptureStalled, "10.0 of 60.0 s are missing.", "10.0 s", "completed, partial")]
    [InlineData(59.86, GapCause.CaptureStalled, null, "0.14 s", "completed")]
    public async Task Recording_says_how_much_a_listener_misses(double from, string cause, string? sentence, string missing, string status)
    {
        var id = await PlacedBots.RecordedAsync(queueing, "Quiet", new Gap(from, 60, cause));
        await using var open = await browser.OpenAsync(queueing.Manager, $"/#/bots/{id}");
        var page = open.Page;

        await Expect(page.Locator(".bot-state .status")).ToHaveTextAsync(status);
        await Expect(page.Locator(".facts div", new() { HasText = "Missing" }).Locator("dd")).ToHaveTextAsync(missing);
        if (sentence is null)
            await Expect(page.Locator(".bot-error strong")).ToHaveCountAsync(0);
        else
            await Expect(page.Locator(".bot-error strong")).ToHaveTextAsync(sentence);
        Assert.Empty(await open.FindFlawsAsync());
        Assert.Empty(open.ConsoleErrors);
    }

    [Fact]
    public async Task Failed_bot_shows_the_reason_and_captioned_screenshots()
    {
        var id = await PlacedBots.DeniedAsync(queueing);
        await using var open = await browser.OpenAsync(queueing.Manager, $"/#/bots/{id}");
        var page = open.Page;

        await Expect(page.Locator(".bot-error strong")).ToHaveTextAsync("The host declined the bot’s request to join.");
        await Expect(page.GetByText("Nothing was recorded.")).ToBeVisibleAsync();
        await Expect(page.Locator("figcaption")).ToHaveCountAsync(2);
        await Expect(page.Locator("figcaption").First).ToContainTextAsync(": unexpected");
        await Expect(page.Locator("figcaption").Last).ToHaveTextAsync(RefusalCaption);
        Assert.Empty(await open.FindFlawsAsync());
        Assert.Empty(open.ConsoleErrors);
    }

    [Fact]
    public async Task Validation_errors_appear_beside_their_fields()
    {
        await using var open = await browser.OpenAsync(queueing.Manager);
        var page = open.Page;
        await page.GetByRole(AriaRole.Button, new() { Name = "Send a bot" }).ClickAsync();
        await page.GetByLabel("Meeting link").FillAsync("http://elsewhere.example/abc");
        await page.GetByLabel("User", new() { Exact = true }).FillAsync("No One");
        await page.GetByRole(AriaRole.Button, new() { Name = "Send", Exact = true }).ClickAsync();

        await Expect(page.GetByLabel("User", new() { Exact = true })).ToHaveAttributeAsync("aria-invalid", "true");
        await Expect(page.Locator("#field-userId-error")).ToContainTextAsync("a-z 0-9 - _");
        await Expect(page.Locator("#field-meetingUrl-error")).Not.ToBeEmptyAsync();
        await Expect(page.GetByLabel("Meeting link")).ToBeFocusedAsync();
        Assert.Empty(await open.FindFlawsAsync());
    }

    [Fact]
    public async Task Bot_is_scheduled_in_the_browsers_time_zone_rescheduled_and_cancelled()
    {
        var today = TimeProvider.System.GetUtcNow().ToOffset(DashboardBrowser.UtcOffset);
        var startAt = new DateTimeOffset(today.Date.AddDays(3).AddHours(9), DashboardBrowser.UtcOffset);
        await using var open = await browser.OpenAsync(queueing.Manager);
        var page = open.Page;
        var when = page.GetByLabel("Start at");
        await page.GetByRole(AriaRole.Button, new() { Name = "Send a bot" }).ClickAsync();
        await page.GetByLabel("Meeting link").FillAsync(Meeting());

        await SendAsync(today.AddHours(-1));
        await Expect(page.Locator("#field-startAt-error")).ToHaveTextAsync("must not be in the past");
        await SendAsync(today.AddDays(31));
        await Expect(page.Locator("#field-startAt-error")).ToContainTextAsync("at most 30 days ahead");
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
        await page.GetByLabel("Search").FillAsync(id);
        await Expect(page.Locator($"a[href='#/bots/{id}']")).ToContainTextAsync("10:30");
        await page.Locator($"a[href='#/bots/{id}']").ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Cancel" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Cancel bot" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Delete" })).ToBeVisibleAsync();
        Assert.Equal("stop_requested", (string?)(await queueing.Manager.GetAsync($"/bots/{id}")).Body!["reason"]);

        async Task SendAsync(DateTimeOffset moment)
        {
            await when.FillAsync($"{moment:yyyy-MM-dd'T'HH:mm}");
            await page.GetByRole(AriaRole.Button, new() { Name = "Send", Exact = true }).ClickAsync();
        }
    }

    [Fact]
    public async Task Bot_sent_through_the_API_appears_in_an_open_list()
    {
        await using var open = await browser.OpenAsync(queueing.Manager);
        await Expect(open.Page.GetByText("Live", new() { Exact = true })).ToBeVisibleAsync();
        var id = await QueueAsync("Sent elsewhere", "elsewhere");

        await Expect(open.Page.Locator($"a[href='#/bots/{id}']")).ToBeVisibleAsync();
        await Expect(open.Page.Locator($"a[href='#/bots/{id}']")).ToContainTextAsync("queued");
    }

    [Fact]
    public async Task Bot_deleted_by_another_manager_disappears_from_the_list_and_its_page_says_so()
    {
        var id = await PlacedBots.DeniedAsync(queueing);
        await using var list = await browser.OpenAsync(queueing.Manager, $"/#/?q={id}");
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
        await Expect(own.Page.GetByText("The bot’s browser at")).ToHaveCountAsync(0);
        Assert.Empty(await own.FindFlawsAsync());
        Assert.Empty(list.ConsoleErrors);
    }

    [Fact]
    public async Task List_is_searched_filtered_and_turned_by_the_manager_and_keeps_its_filters_in_the_address()
    {
        const string user = "many";
        for (var i = 0; i < 60; i++)
            await QueueAsync($"Number {i}.", user);
        for (var i = 0; i < 3; i++)
            await QueueAsync($"Later {i}.", user, TimeProvider.System.GetUtcNow().AddDays(3 - i));
        await using var open = await browser.OpenAsync(queueing.Manager);
        var page = open.Page;
        var rows = page.GetByRole(AriaRole.List, new() { Name = "Bots" }).GetByRole(AriaRole.Listitem);
        var search = page.GetByLabel("Search");
        var count = page.Locator(".count");

        await search.FillAsync(user);
        await Expect(count).ToHaveTextAsync("1–50 of 63 bots");
        await Expect(rows).ToHaveCountAsync(50);
        await Expect(rows.First).ToContainTextAsync("Number 59.");
        await page.GetByRole(AriaRole.Button, new() { Name = "Next" }).ClickAsync();
        await Expect(count).ToHaveTextAsync("51–63 of 63 bots");
        await Expect(rows.Locator(".name")).ToHaveTextAsync([.. Enumerable.Range(0, 10).Reverse().Select(i => $"Number {i}."), "Later 2.", "Later 1.", "Later 0."]);
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Next" })).ToBeDisabledAsync();
        Assert.Empty(await open.FindFlawsAsync());
        await page.GetByRole(AriaRole.Button, new() { Name = "Previous" }).ClickAsync();
        await Expect(count).ToHaveTextAsync("1–50 of 63 bots");

        await page.GetByRole(AriaRole.Button, new() { Name = "Scheduled 3" }).ClickAsync();
        await Expect(count).ToHaveTextAsync("3 bots");
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Active 60" })).ToHaveAttributeAsync("aria-pressed", "false");
        await rows.First.ClickAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "All bots" }).ClickAsync();
        await Expect(count).ToHaveTextAsync("3 bots");
        await Expect(search).ToHaveValueAsync(user);
        await page.ReloadAsync();
        await Expect(count).ToHaveTextAsync("3 bots");

        await page.Locator("summary").Filter(new() { HasText = "User, dates, order" }).ClickAsync();
        await page.GetByLabel("Order").SelectOptionAsync("oldest");
        await Expect(rows.First).ToContainTextAsync("Later 0.");
        await page.GetByLabel("To", new() { Exact = true }).FillAsync("2020-01-01");
        await Expect(page.GetByText($"No bots match “{user}”")).ToBeVisibleAsync();
        Assert.Empty(await open.FindFlawsAsync());
        await page.GetByRole(AriaRole.Button, new() { Name = "Clear filters" }).ClickAsync();
        await Expect(search).ToHaveValueAsync("");
        await Expect(rows.First).ToBeVisibleAsync();
        Assert.Empty(open.ConsoleErrors);
    }

    [Fact]
    public async Task Name_and_metadata_of_a_bot_are_edited()
    {
        var id = await PlacedBots.RecordedAsync(queueing, "Before");
        await using var open = await browser.OpenAsync(queueing.Manager, $"/#/bots/{id}");
        var page = open.Page;
        await page.GetByRole(AriaRole.Button, new() { Name = "Edit" }).ClickAsync();
        await page.Locator("#field-botName").FillAsync("After");
        await page.GetByLabel("Key", new() { Exact = true }).FillAsync("customer");
        await page.GetByLabel("Value", new() { Exact = true }).FillAsync("ACME");
        await page.GetByRole(AriaRole.Button, new() { Name = "Add metadata" }).ClickAsync();
        Assert.Empty(await open.FindFlawsAsync());
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();

        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1, Name = "After" })).ToBeVisibleAsync();
        await Expect(page.Locator(".facts dt").Last).ToHaveTextAsync("customer");
        await Expect(page.Locator(".facts dd").Last).ToHaveTextAsync("ACME");
        Assert.Equal("ACME", (string?)(await queueing.Manager.GetAsync($"/bots/{id}")).Body!["metadata"]!["customer"]);
    }

    [Fact]
    public async Task Bot_can_be_stopped_by_keyboard_and_a_failed_action_is_reported_in_the_dialog()
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

        // A deletion needs the Docker engine, which is unreachable.
        await page.GetByRole(AriaRole.Button, new() { Name = "Delete" }).PressAsync("Enter");
        await page.Keyboard.PressAsync("Tab");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Alert)).ToContainTextAsync("is unreachable");
        Assert.Empty(await open.FindFlawsAsync());
        await page.Keyboard.PressAsync("Escape");
        await Expect(page.GetByRole(AriaRole.Dialog)).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task A_recording_that_could_not_be_assembled_can_be_tried_again()
    {
        var bot = await PlacedBots.UnfinalizedAsync(queueing);
        await using var open = await browser.OpenAsync(queueing.Manager, $"/#/bots/{bot.Id}");
        var page = open.Page;

        await page.GetByRole(AriaRole.Button, new() { Name = "Try again" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Try again" }).ClickAsync();

        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Try again" })).ToHaveCountAsync(0);
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Delete" })).ToBeVisibleAsync();
        Assert.Empty(open.ConsoleErrors);
        Assert.Equal("finalizing", (string?)(await queueing.Manager.GetAsync($"/bots/{bot.Id}")).Body!["status"]);
    }

    [Fact]
    public async Task Rehearsal_index_is_accessible_and_fits_a_phone()
    {
        await using var open = await browser.OpenAsync(queueing.Manager, "/rehearsal", withoutPolicy: true);

        Assert.Empty(await open.FindFlawsAsync());
    }

    [Fact]
    public async Task Unknown_bot_is_reported_as_not_found()
    {
        await using var open = await browser.OpenAsync(queueing.Manager, "/#/bots/0199aaaabbbbccccddddeeeeffff0001");

        await Expect(open.Page.GetByRole(AriaRole.Heading, new() { Name = "Bot not found" })).ToBeVisibleAsync();
        await Expect(open.Page.Locator("#connection")).ToBeHiddenAsync();
        Assert.Empty(await open.FindFlawsAsync());

        await open.Page.GotoAsync("/#/bots/Not-an-id");
        await Expect(open.Page.GetByText("There is no bot with the id Not-an-id.")).ToBeVisibleAsync();
        await open.Page.GotoAsync("/#/nowhere");
        await Expect(open.Page.GetByRole(AriaRole.Heading, new() { Name = "Page not found" })).ToBeVisibleAsync();
        Assert.Empty(await open.FindFlawsAsync());
    }

    [Fact]
    public async Task Choosing_a_rehearsal_or_typing_removes_the_errors_of_the_previous_meeting_link()
    {
        await using var open = await browser.OpenAsync(queueing.Manager);
        var page = open.Page;
        var link = page.GetByLabel("Meeting link");
        await page.GetByRole(AriaRole.Button, new() { Name = "Send a bot" }).ClickAsync();
        await SendWrongLinkAsync();
        await page.GetByLabel("Rehearsal").SelectOptionAsync("three-speakers");
        await Expect(page.Locator("#field-meetingUrl-error")).ToBeEmptyAsync();
        await Expect(link).Not.ToHaveAttributeAsync("aria-invalid", "true");

        await SendWrongLinkAsync();
        await link.PressAsync("a");
        await Expect(page.Locator("#field-meetingUrl-error")).ToBeEmptyAsync();

        async Task SendWrongLinkAsync()
        {
            await link.FillAsync("http://elsewhere.example/abc");
            await page.GetByRole(AriaRole.Button, new() { Name = "Send", Exact = true }).ClickAsync();
            await Expect(page.Locator("#field-meetingUrl-error")).Not.ToBeEmptyAsync();
        }
    }

    [Fact]
    public async Task Actions_are_confirmed_by_a_toast_and_their_dialogs_name_the_bot()
    {
        var id = await QueueAsync("Named bot", "toasts");
        await using var open = await browser.OpenAsync(queueing.Manager, $"/#/bots/{id}");
        var page = open.Page;
        await page.GetByRole(AriaRole.Button, new() { Name = "Stop" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Stop Named bot?" })).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Stop" }).ClickAsync();

        await Expect(page.Locator(".toast")).ToHaveTextAsync("Named bot is leaving");
        Assert.Empty(await open.FindFlawsAsync());
        await page.GetByRole(AriaRole.Button, new() { Name = "Delete" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Delete Named bot?" })).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Dialog)).ToContainTextAsync("meet.google.com/pag-");
        Assert.Empty(open.ConsoleErrors);
    }

    [Fact]
    public async Task Bot_that_failed_without_screenshots_says_so_and_what_to_do()
    {
        var id = await PlacedBots.UnlaunchedAsync(queueing);
        await using var open = await browser.OpenAsync(queueing.Manager, $"/#/bots/{id}");
        var page = open.Page;

        await Expect(page.Locator(".bot-error strong")).ToHaveTextAsync("The bot’s container could not be created or started.");
        await Expect(page.Locator(".bot-error")).ToContainTextAsync("The image newarbots/recorder:dev is missing.");
        await Expect(page.Locator(".advice")).ToContainTextAsync("error names the cause. If the image is missing, it also says how to build it.");
        await page.Locator("summary").Filter(new() { HasText = "Evidence" }).ClickAsync();
        await Expect(page.GetByText("There are no screenshots")).ToBeVisibleAsync();
        Assert.Empty(await open.FindFlawsAsync());
        Assert.Empty(open.ConsoleErrors);
    }

    [Fact]
    public async Task Live_bot_shows_who_speaks_its_level_and_a_gap_warning_at_once()
    {
        var user = UserId.Parse("live");
        var id = SessionId.Parse(await queueing.Manager.RecordAsync("https://meet.google.com/abc-defg-liv", userId: $"{user}"));
        await using var redis = await ConnectionMultiplexer.ConnectAsync(queueing.Redis.Configuration);
        await using var open = await browser.OpenAsync(queueing.Manager, $"/#/bots/{id}");
        var page = open.Page;
        await Expect(page.Locator(".status").First).ToHaveTextAsync("queued");
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        var recording = new StatusMessage(id, BotStatus.Recording, now, 100, Chunks: 2, RecordedSeconds: 12, Participants: 1, Level: -21);
        RecorderJournal.Write(queueing.Manager.Storage, user, id, Journal.Format(new(Presence: new("Ana", now, IsPresent: true))), Journal.Format(new(Speaking: new("track:1", now, IsSpeaking: true, "Ana"))));

        await redis.ReportAsync(queueing.Manager.Storage, user, recording);

        await Expect(page.GetByText("-21 dBFS")).ToBeVisibleAsync();
        await Expect(page.GetByText("Ana speaks")).ToBeVisibleAsync();
        await Expect(page.Locator(".participants tbody tr").Locator("th, td").Nth(2)).ToHaveTextAsync("in the call");
        Assert.Empty(await open.FindFlawsAsync());

        await redis.ReportAsync(queueing.Manager.Storage, user, recording with { Sequence = 101, Reason = EndReason.NoAudio, Detail = "The page went back to the lobby: it shows [name.box join.now]. Rejoining." });

        await Expect(page.Locator(".bot-error")).ToContainTextAsync("The page went back to the lobby. Rejoining.");
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "About this reason" })).ToBeVisibleAsync();
        Assert.Empty(await open.FindFlawsAsync());
        Assert.Empty(open.ConsoleErrors);
    }

    [Fact]
    public async Task Participants_are_listed_with_the_times_when_they_joined_left_and_spoke()
    {
        var id = await PlacedBots.AttendedAsync(queueing, "Ana <b>", "Ben");
        await using var open = await browser.OpenAsync(queueing.Manager, $"/#/bots/{id}");
        var rows = open.Page.Locator(".participants tbody tr");

        await Expect(rows).ToHaveCountAsync(2);
        // Noon UTC is 17:30 in the browser's time zone.
        await Expect(rows.Nth(0).Locator("th, td")).ToHaveTextAsync(["Ana <b>", "17:30:00", "17:45:00", "0:12"]);
        await Expect(rows.Nth(1).Locator("th, td")).ToHaveTextAsync(["Ben", "17:31:00", "after the bot", "–"]);
        Assert.Empty(await open.FindFlawsAsync());
        Assert.Empty(open.ConsoleErrors);
    }

    [Fact]
    public async Task Docs_are_part_of_the_page_and_reasons_lead_to_them()
    {
        var id = await PlacedBots.DeniedAsync(queueing);
        await using var open = await browser.OpenAsync(queueing.Manager, $"/#/bots/{id}");
        var page = open.Page;
        await Expect(page.Locator("footer")).ToHaveTextAsync("Times are in your time zone, Asia/Calcutta, GMT+5:30.");
        await Expect(page.Locator(".advice")).ToContainTextAsync("Ask them to admit the bot. A meaningful botName helps.");
        await Expect(page.Locator(".bot-error")).Not.ToContainTextAsync("denied.request");

        await page.GetByRole(AriaRole.Link, new() { Name = "About this reason" }).ClickAsync();

        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1, Name = "Reasons and gaps" })).ToBeVisibleAsync();
        await Expect(page.Locator("#denied_by_host")).ToBeFocusedAsync();
        await Expect(page.Locator("#denied_by_host")).ToBeInViewportAsync();
        Assert.Empty(await open.FindFlawsAsync());
        foreach (var name in await page.Locator(".docs-list a").AllTextContentsAsync())
        {
            await page.GetByRole(AriaRole.Navigation, new() { Name = "Docs" }).GetByRole(AriaRole.Link, new() { Name = name, Exact = true }).ClickAsync();
            await Expect(page.Locator(".docs-list a[aria-current]")).ToHaveTextAsync(name);
            await Expect(page.Locator(".docs-text h1")).ToBeVisibleAsync();
            Assert.Empty(await open.FindFlawsAsync());
        }

        Assert.Empty(open.ConsoleErrors);
    }

    [Fact]
    public async Task Log_is_filtered_and_copied_and_its_link_id_and_curl_too()
    {
        var id = await PlacedBots.RecordedAsync(queueing, "Logged");
        await using var open = await browser.OpenAsync(queueing.Manager, $"/#/bots/{id}");
        var page = open.Page;
        await page.EvaluateAsync("navigator.clipboard.writeText = async text => { globalThis.copied = text; }");
        await page.Locator("summary").Filter(new() { HasText = "Log" }).ClickAsync();
        await Expect(page.Locator(".log .line")).ToHaveTextAsync(["Logged", "15:51:04 Status Recording", "15:51:05 warning The page hides its count"]);
        Assert.Empty(await open.FindFlawsAsync());

        await page.GetByLabel("Levels").SelectOptionAsync("important");
        await Expect(page.Locator(".log .line:visible")).ToHaveCountAsync(1);
        await page.GetByRole(AriaRole.Button, new() { Name = "Copy", Exact = true }).ClickAsync();
        await Expect(page.GetByText("The log is copied")).ToBeVisibleAsync();
        Assert.Equal("10:21:05.250 warn: CallAttendance: The page hides its count", await CopiedAsync());
        await page.GetByLabel("Filter the log").FillAsync("nothing like it");
        await Expect(page.GetByText("No line matches the filter.")).ToBeVisibleAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "Copy id" }).ClickAsync();
        Assert.Equal($"{id}", await CopiedAsync());
        await page.GetByRole(AriaRole.Button, new() { Name = "Copy curl" }).ClickAsync();
        Assert.Equal($"curl -s http://localhost:{queueing.Manager.Port}/bots/{id}", await CopiedAsync());
        await page.GetByRole(AriaRole.Button, new() { Name = "Copy link", Exact = true }).ClickAsync();
        Assert.Equal($"http://localhost:{queueing.Manager.Port}/#/bots/{id}", await CopiedAsync());
        Assert.Empty(open.ConsoleErrors);

        Task<string> CopiedAsync() => page.EvaluateAsync<string>("globalThis.copied");
    }

    [Fact]
    public async Task Refused_requests_are_reported_and_retried()
    {
        await using var open = await browser.OpenAsync(queueing.Manager, "/page/icon.svg");
        var page = open.Page;
        await page.RouteAsync("**/bots?*", route => route.FulfillAsync(Busy));
        await page.RouteAsync("**/bots/events", route => route.FulfillAsync(Busy));
        await page.GotoAsync("/");
        await Expect(page.GetByText("Could not load the bots")).ToBeVisibleAsync();
        await Expect(page.GetByText("Too many at once.")).ToBeVisibleAsync();
        await Expect(page.GetByText("retrying")).ToBeVisibleAsync();
        Assert.Empty(await open.FindFlawsAsync());

        await page.UnrouteAllAsync();

        await Expect(page.GetByText("Live", new() { Exact = true })).ToBeVisibleAsync(new() { Timeout = 15_000 });
        await Expect(page.GetByText("Could not load the bots")).Not.ToBeVisibleAsync();
    }

    [Fact]
    public async Task Data_that_failed_to_load_is_loaded_when_the_network_returns()
    {
        var id = await PlacedBots.RecordedAsync(queueing, "Lost");
        await using var open = await browser.OpenAsync(queueing.Manager, "/page/icon.svg");
        var page = open.Page;
        await page.RouteAsync("**/bots?*", route => route.AbortAsync());
        await page.RouteAsync("**/bots/**", route => route.AbortAsync());
        await page.GotoAsync("/");
        await Expect(page.GetByText("Could not load the bots")).ToBeVisibleAsync();
        await page.GotoAsync($"/#/bots/{id}");
        await Expect(page.GetByText("Could not load the bot")).ToBeVisibleAsync();
        Assert.Empty(await open.FindFlawsAsync());

        await page.UnrouteAllAsync();

        await Expect(page.Locator(".wave path")).ToBeAttachedAsync(new() { Timeout = 30_000 });
        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1, Name = "Lost" })).ToBeVisibleAsync();
        await Expect(page.GetByText("Could not load the bot")).ToHaveCountAsync(0);

        await page.RouteAsync("**/bots/*/manifest", route => route.AbortAsync());
        await page.ReloadAsync();
        await Expect(page.GetByText("The manager is unreachable.")).ToBeVisibleAsync();
        await page.UnrouteAllAsync();
        await page.EvaluateAsync("dispatchEvent(new Event('online'))");
        await Expect(page.Locator(".lane")).ToHaveCountAsync(2);

        await page.RouteAsync("**/bots?*", route => route.AbortAsync());
        await page.GotoAsync($"/#/?q={id}");
        await Expect(page.GetByText("Could not load the bots")).ToBeVisibleAsync();
        await page.UnrouteAllAsync();
        await page.EvaluateAsync("dispatchEvent(new Event('online'))");
        await Expect(page.Locator($"a[href='#/bots/{id}']")).ToBeVisibleAsync();
    }

    [Theory]
    [InlineData("format.js")]
    [InlineData("page.css")]
    public async Task Page_reloads_after_one_of_its_own_files_failed_to_load(string file)
    {
        await using var open = await browser.OpenAsync(queueing.Manager, "/page/icon.svg");
        var asked = 0;
        await open.Page.RouteAsync($"**/page/{file}", route => Interlocked.Increment(ref asked) == 1 ? route.AbortAsync() : route.ContinueAsync());
        await open.Page.GotoAsync("/");

        await Eventually.TrueAsync(() => asked > 1);
        await Expect(open.Page.GetByRole(AriaRole.Heading, new() { Name = "Bots", Exact = true })).ToBeVisibleAsync(new() { Timeout = 30_000 });
    }

    [Fact]
    public async Task Content_security_policy_allows_only_the_managers_scripts_and_trusted_types()
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

    [GeneratedRegex(@"^The bot’s browser at \d\d:\d\d:\d\d\. The host declined the bot’s request to join\.$", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex RefusalCaption { get; }
}
