using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;
using Microsoft.Playwright;
using NewarBots.Tests.Bots;
using NewarBots.Tests.Fixtures;
using static Microsoft.Playwright.Assertions;

namespace NewarBots.Tests.Dashboard;

/// <summary>The transcript on the page of a bot, in a real Chromium.</summary>
public sealed class TranscriptPageTests(DashboardBrowser browser) : IClassFixture<DashboardBrowser>, IAsyncLifetime
{
    private const string Hostile = "<img src=x onerror=globalThis.ran=1><b>bold</b>";

    private readonly SpeechServerStub _stub = new();
    private QueueingManager _host = null!;

    public async ValueTask InitializeAsync()
    {
        await _stub.StartAsync();
        _host = new() { Settings = [("Transcription__Endpoint", _stub.Url)] };
        await _host.InitializeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        await _stub.DisposeAsync();
    }

    [Fact]
    public async Task Transcript_is_requested_and_appears_and_seeks_and_is_searched()
    {
        _stub.Answer = (_, before) => SpeechServerStub.Json($$"""{"text": "This is turn {{(char)('A' + before)}}."}""");
        var id = await PlacedBots.RecordedAsync(_host, "Weekly");
        await using var open = await browser.OpenAsync(_host.Manager, $"/#/bots/{id}");
        var page = open.Page;

        await page.GetByRole(AriaRole.Button, new() { Name = "Transcribe" }).ClickAsync();
        await Expect(page.Locator(".transcript li").First).ToBeVisibleAsync();
        var starts = (await _host.Manager.GetAsync($"/bots/{id}/transcript")).Body!["segments"]!.AsArray().Select(segment => (double)segment!["start"]!).ToList();
        Assert.True(starts.Count > 5, string.Join(' ', starts));
        await Expect(page.Locator(".transcript .moment")).ToHaveTextAsync([.. starts.Select(start => $"{TimeSpan.FromSeconds(start):m\\:ss}")]);
        await Expect(page.Locator(".transcript .speaker").First).ToHaveClassAsync("speaker voice-0");
        await Expect(page.Locator(".transcript .speaker").Nth(1)).ToHaveClassAsync("speaker voice-1");

        await Expect(page.Locator("audio")).ToHaveJSPropertyAsync("readyState", 4);
        await page.Locator(".transcript .moment").Nth(3).ClickAsync();
        await Expect(page.Locator("audio")).ToHaveJSPropertyAsync("currentTime", starts[3]);
        await Expect(page.Locator(".transcript li[aria-current]")).ToContainTextAsync($"{TimeSpan.FromSeconds(starts[3]):m\\:ss}");

        await page.GetByLabel("Search the transcript").FillAsync("TURN");
        await Expect(page.Locator(".transcript mark")).ToHaveTextAsync([.. starts.Select(_ => "turn")]);
        await Expect(page.GetByText($"1 of {starts.Count}")).ToBeVisibleAsync();
        await page.GetByLabel("Search the transcript").PressAsync("Enter");
        await Expect(page.GetByText($"2 of {starts.Count}")).ToBeVisibleAsync();
        await page.GetByLabel("Search the transcript").FillAsync("(nothing");
        await Expect(page.GetByText("Not found")).ToBeVisibleAsync();
        await Expect(page.Locator(".transcript mark")).ToHaveCountAsync(0);
        Assert.Empty(await open.FindFlawsAsync());
        Assert.Empty(open.ConsoleErrors);
    }

    [Fact]
    public async Task Html_in_a_transcript_is_shown_as_text_even_without_the_content_security_policy()
    {
        _stub.Answer = (_, _) => SpeechServerStub.Json($$"""{"text": "{{Hostile}}"}""");
        var id = await PlacedBots.RecordedAsync(_host, Hostile);
        await _host.Manager.PostAsync($"/bots/{id}/transcript");
        await using var open = await browser.OpenAsync(_host.Manager, $"/#/bots/{id}", withoutPolicy: true);
        var page = open.Page;

        await Expect(page.Locator(".transcript .said").First).ToHaveTextAsync(Hostile);
        await Expect(page.Locator(".transcript .speaker").First).ToHaveTextAsync(Hostile);
        await page.GetByLabel("Search the transcript").FillAsync("<img");
        await Expect(page.Locator(".transcript mark").First).ToHaveTextAsync("<img");

        await Expect(page.Locator("main :is(img, b)")).ToHaveCountAsync(0);
        Assert.Equal("undefined", await page.EvaluateAsync<string>("typeof globalThis.ran"));
    }

    [Fact]
    public async Task Failed_transcript_says_why_and_can_be_tried_again()
    {
        var good = _stub.Answer;
        _stub.Answer = (_, _) => SpeechServerStub.Problem(401);
        var id = await PlacedBots.RecordedAsync(_host, "Weekly");
        await _host.Manager.PostAsync($"/bots/{id}/transcript");
        await using var open = await browser.OpenAsync(_host.Manager, $"/#/bots/{id}");
        var page = open.Page;
        await Expect(CardOf(page)).ToHaveTextAsync("TranscriptThe speech server rejected the key (401). Check Transcription:ApiKey.Try again");
        Assert.Empty(await open.FindFlawsAsync());

        _stub.Answer = good;
        await page.GetByRole(AriaRole.Button, new() { Name = "Try again" }).ClickAsync();

        await Expect(page.Locator(".transcript li").First).ToBeVisibleAsync();
        Assert.Empty(open.ConsoleErrors);
    }

    [Fact]
    public async Task Progress_is_shown_and_the_text_can_be_copied_and_downloaded()
    {
        var (good, gate) = (_stub.Answer, new TaskCompletionSource());
        _stub.Answer = (request, before) => new Gated(before == 0 ? Task.CompletedTask : gate.Task, good(request, before));
        var id = await PlacedBots.RecordedAsync(_host, "Weekly");
        await using var open = await browser.OpenAsync(_host.Manager, $"/#/bots/{id}");
        var page = open.Page;

        await page.GetByRole(AriaRole.Button, new() { Name = "Transcribe" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Progressbar, new() { Name = "Progress of the transcript" })).ToBeVisibleAsync();
        await Expect(CardOf(page)).ToHaveTextAsync(new Regex("^TranscriptTranscribing: [0-9]+ %$", RegexOptions.None, TimeSpan.FromSeconds(1)));
        Assert.Empty(await open.FindFlawsAsync());
        gate.SetResult();

        await Expect(page.Locator(".transcript li").First).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Progressbar, new() { Name = "Progress of the transcript" })).ToHaveCountAsync(0);
        foreach (var format in (string[])["txt", "srt", "vtt", "md", "json"])
            await Expect(page.GetByRole(AriaRole.Link, new() { Name = format.ToUpperInvariant(), Exact = true })).ToHaveAttributeAsync("href", $"/bots/{id}/transcript?format={format}");
        await page.Context.GrantPermissionsAsync(["clipboard-read", "clipboard-write"]);
        await page.GetByRole(AriaRole.Button, new() { Name = "Copy", Exact = true }).Last.ClickAsync();
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Copied" })).ToBeVisibleAsync();
        Assert.StartsWith("[00:00:00] Weekly: Hello there.", await page.EvaluateAsync<string>("navigator.clipboard.readText()"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Failed_repeat_says_why_above_the_earlier_text()
    {
        var id = await PlacedBots.RecordedAsync(_host, "Weekly");
        await _host.Manager.PostAsync($"/bots/{id}/transcript");
        await using var open = await browser.OpenAsync(_host.Manager, $"/#/bots/{id}");
        var page = open.Page;
        await Expect(page.GetByText("Hello there.").First).ToBeVisibleAsync();
        _stub.Answer = (_, _) => SpeechServerStub.Problem(401);

        await _host.Manager.PostAsync($"/bots/{id}/transcript");

        await Expect(page.GetByText("The speech server rejected the key (401). Check Transcription:ApiKey.")).ToBeVisibleAsync();
        await Expect(page.GetByText("This is the earlier transcript.")).ToBeVisibleAsync();
        await Expect(page.GetByText("Hello there.").First).ToBeVisibleAsync();
        Assert.Empty(await open.FindFlawsAsync());
        _stub.Answer = (_, _) => SpeechServerStub.Json("""{"text": "New words."}""");
        await page.GetByRole(AriaRole.Button, new() { Name = "Try again" }).ClickAsync();
        await Expect(page.GetByText("New words.").First).ToBeVisibleAsync();
        await Expect(page.GetByText("This is the earlier transcript.")).ToHaveCountAsync(0);
        Assert.Empty(open.ConsoleErrors);
    }

    [Fact]
    public async Task Recording_in_which_nobody_speaks_says_so()
    {
        _stub.Answer = (_, _) => SpeechServerStub.Json("""{"text": ""}""");
        var id = await PlacedBots.RecordedAsync(_host, "Weekly");
        await _host.Manager.PostAsync($"/bots/{id}/transcript");
        await using var open = await browser.OpenAsync(_host.Manager, $"/#/bots/{id}");

        await Expect(open.Page.GetByText("No speech was recognized.")).ToBeVisibleAsync();
        Assert.Empty(await open.FindFlawsAsync());
    }

    private static ILocator CardOf(IPage page) => page.GetByRole(AriaRole.Region, new() { Name = "Transcript", Exact = true });

    private sealed class Gated(Task gate, IResult answer) : IResult
    {
        public async Task ExecuteAsync(HttpContext context)
        {
            await gate;
            await answer.ExecuteAsync(context);
        }
    }
}
