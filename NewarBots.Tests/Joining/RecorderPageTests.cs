using System.Text;
using System.Text.Json.Nodes;
using NewarBots.Contract;
using NewarBots.Tests.Lives;
using NewarBots.Tests.Recording;

namespace NewarBots.Tests.Joining;

/// <summary>The recorder in its container, on pages that it does not get past.</summary>
[Trait(LifeTests.Group, LifeTests.Name)]
public sealed class RecorderPageTests
{
    [Fact]
    public async Task A_page_that_rejects_the_bot_is_kept_as_evidence()
    {
        await using var recorder = await RealRecorder.StartAsync("""
            <!doctype html><title>Sorry</title><h1>You can't join this video call</h1>
            <script>console.warn('no entry'); alert('go away'); fetch('/nowhere').catch(() => {}); new RTCPeerConnection();</script>
            """);

        Assert.Equal((long)RecorderExitCode.Ended, await recorder.ExitCodeAsync());
        Assert.Equal(EndReason.BlockedByPlatform, recorder.Statuses()[^1].Reason);
        var evidence = recorder.Evidence().ToDictionary(file => file.Key, file => Encoding.UTF8.GetString(file.Value));
        Assert.StartsWith("\uFFFDPNG", evidence["1_blocked_by_platform/screenshot.png"], StringComparison.Ordinal);
        Assert.Contains("You can't join this video call</h1>", evidence["1_blocked_by_platform/page.html"], StringComparison.Ordinal);
        Assert.Contains("warning: no entry", evidence["1_blocked_by_platform/console.txt"], StringComparison.Ordinal);
        Assert.Contains("dialog dismissed: alert \"go away\"", evidence["1_blocked_by_platform/console.txt"], StringComparison.Ordinal);
        Assert.Contains("[blocked.cannot_join]", evidence["1_blocked_by_platform/looks.txt"], StringComparison.Ordinal);
        Assert.Contains("\"state\": \"new\"", evidence["1_blocked_by_platform/webrtc.json"], StringComparison.Ordinal);
        Assert.Contains("\"reason\": \"blocked_by_platform\"", evidence["1_blocked_by_platform/summary.json"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Dialogs_popups_and_downloads_are_dismissed_and_kept_as_evidence()
    {
        await using var recorder = await RealRecorder.StartAsync("""
            <!doctype html><title>Call</title><button aria-label="Leave call">Leave</button><button aria-label="Meeting details">Details</button><button id="hint">Got it</button>
            <script>
            addEventListener('beforeunload', event => event.preventDefault());
            document.getElementById('hint').onclick = ({ target }) => {
              target.remove();
              window.open('/?window');
              Object.assign(document.createElement('a'), { href: URL.createObjectURL(new Blob(['words'])), download: 'words.txt' }).click();
              alert('muted');
              console.log(`answers: ${confirm('still there?')}, ${prompt('your name?')}`);
              setTimeout(() => { document.body.textContent = "You can't join this video call"; }, 2000);
            };
            </script>
            """);

        Assert.Equal((long)RecorderExitCode.Ended, await recorder.ExitCodeAsync());

        Assert.Equal(EndReason.BlockedByPlatform, recorder.Statuses()[^1].Reason);
        var console = Encoding.UTF8.GetString(recorder.Evidence()["1_blocked_by_platform/console.txt"]);
        Assert.Contains("dialog dismissed: alert \"muted\"", console, StringComparison.Ordinal);
        Assert.Contains("log: answers: false, null", console, StringComparison.Ordinal);
        Assert.Contains("window closed: ", console, StringComparison.Ordinal);
        Assert.Contains("download refused: blob:", console, StringComparison.Ordinal);
        Assert.Contains("1_blocked_by_platform/screenshot.png", recorder.Evidence().Keys);
    }

    [Fact]
    [Trait("Suite", "Long")]
    public async Task The_status_while_waiting_has_the_remaining_time()
    {
        await using var recorder = await RealRecorder.StartAsync(
            "<!doctype html><title>Meet</title><h1>Asking to be let in</h1>", leave: new() { WaitingRoomTimeout = TimeSpan.FromSeconds(25) });

        Assert.Equal((long)RecorderExitCode.Ended, await recorder.ExitCodeAsync());

        var statuses = recorder.Statuses();
        var waiting = statuses.Where(status => status.Status is BotStatus.Waiting).ToList();
        Assert.Equal([BotStatus.Joining, BotStatus.Waiting, BotStatus.Leaving], statuses.Select(status => status.Status).Distinct());
        Assert.Equal("Waiting to be admitted, for up to 25 s more.", waiting[0].Detail);
        Assert.True(waiting.Count > 1, string.Join('\n', statuses));
        Assert.All(waiting.Skip(1), status => Assert.Matches("^Waiting to be admitted, for up to ([1-9]|10) s more.$", status.Detail));
        Assert.Equal(EndReason.WaitingRoomTimeout, statuses[^1].Reason);
    }

    [Theory]
    [Trait("Suite", "Long")]
    [InlineData("headed", "Chrome")]
    [InlineData("headless_shell", "HeadlessChrome")]
    public async Task The_browser_asks_for_English_and_does_not_disguise_itself(string browser, string product)
    {
        await using var recorder = await RealRecorder.StartAsync(
            """
            <!doctype html><title>Call</title>
            <script>
            fetch('/', {
              method: 'POST',
              body: JSON.stringify({
                webdriver: navigator.webdriver,
                webdriverIsItsOwn: Object.getOwnPropertyNames(navigator).length === 0,
                userAgent: navigator.userAgent,
                version: navigator.userAgentData.brands.find(({ brand }) => brand === 'Chromium').version,
                languages: navigator.languages,
                locale: Intl.DateTimeFormat().resolvedOptions().locale,
              }),
            }).then(() => document.body.textContent = "You can't join this video call");
            </script>
            """,
            joining: _ => new() { Browser = browser });

        Assert.Equal((long)RecorderExitCode.Ended, await recorder.ExitCodeAsync());

        var (headers, body) = Assert.Single(recorder.Posts);
        var said = JsonNode.Parse(body)!;
        Assert.True((bool)said["webdriver"]! && (bool)said["webdriverIsItsOwn"]!, body);
        Assert.Contains($" {product}/{said["version"]}.", (string?)said["userAgent"], StringComparison.Ordinal);
        Assert.Equal((string?)said["userAgent"], headers.UserAgent);
        Assert.Equal("en-US", (string?)said["languages"]![0]);
        Assert.Equal("en-US", (string?)said["locale"]);
        Assert.StartsWith("en-US", headers.AcceptLanguage, StringComparison.Ordinal);
    }
}
