using NewarBots.Contract;
using NewarBots.Recorder.Hosting;
using NewarBots.Tests.Lives;
using NewarBots.Tests.Recording;

namespace NewarBots.Tests.Joining;

/// <summary>The joining settings, in the recorder's container.</summary>
[Collection(AloneOnTheMachine.Name)]
[Trait("Suite", "Long")]
public sealed class JoiningSettingsTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("newarbots-settings-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("headed")]
    [InlineData("headless_shell")]
    public async Task A_signed_in_browser_has_the_cookies_and_local_storage_and_leaves_no_trace_of_them(string browser)
    {
        const string Secret = "5e5e5e5e";
        await using var recorder = await RealRecorder.StartAsync(
            """
            <!doctype html><title>Call</title>
            <script>
            const stored = localStorage.getItem('account') === 'anna' && localStorage.getItem('other') === null;
            const visible = document.cookie === 'session=visible';
            document.write(stored && visible
              ? '<button aria-label="Leave call">Leave</button><button aria-label="Meeting details">Details</button>' : '<h1>Sign in</h1>');
            setTimeout(() => { document.body.textContent = 'The call ended'; }, 3000);
            </script>
            """,
            joining: origin => new()
            {
                Browser = browser,
                StorageState = Write($$"""
                    {
                      "cookies": [
                        { "name": "secret", "value": "{{Secret}}", "domain": "localhost", "path": "/", "expires": -1, "httpOnly": true, "secure": false, "sameSite": "Lax" },
                        { "name": "session", "value": "visible", "domain": "localhost", "path": "/", "expires": 4102444800, "httpOnly": false, "secure": false, "sameSite": "Strict" }
                      ],
                      "origins": [
                        { "origin": "https://accounts.example", "localStorage": [{ "name": "other", "value": "{{Secret}}" }] },
                        { "origin": "{{origin}}", "localStorage": [{ "name": "account", "value": "anna" }] }
                      ]
                    }
                    """),
            });

        Assert.Equal((long)RecorderExitCode.Ended, await recorder.ExitCodeAsync());

        var last = recorder.Statuses()[^1];
        Assert.True(last.Reason is EndReason.MeetingEnded, $"{last}\n{await recorder.LogAsync()}");
        Assert.Contains($"secret={Secret}", Assert.Single(recorder.Cookies), StringComparison.Ordinal);
        Assert.DoesNotContain(SessionInput.StorageState, recorder.Files);
        Assert.DoesNotContain(SessionInput.Assignment, recorder.Files);
        Assert.DoesNotContain(Secret, await recorder.LogAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Configured_selectors_replace_the_embedded_ones_and_invalid_CSS_affects_its_entry_only()
    {
        var pack = EmbeddedFile.ReadText("Joining.selectors.json")
            .Replace("Leave call", "Auflegen", StringComparison.Ordinal)
            .Replace("\"entries\": [", """
                "entries": [
                    { "id": "broken", "sign": "left", "css": "button[[" },
                    { "id": "ended.auf_deutsch", "sign": "ended", "text": "Die Besprechung ist zu Ende" },
                """, StringComparison.Ordinal);
        await using var recorder = await RealRecorder.StartAsync(
            """
            <!doctype html><title>Besprechung</title><button aria-label="Auflegen">Auflegen</button><button aria-label="Meeting details">Details</button>
            <script>setTimeout(() => { document.body.textContent = 'Die Besprechung ist zu Ende'; }, 3000);</script>
            """,
            joining: _ => new() { SelectorPack = Write(pack) });

        Assert.Equal((long)RecorderExitCode.Ended, await recorder.ExitCodeAsync());

        Assert.Equal(
            (EndReason.MeetingEnded, true),
            (recorder.Statuses()[^1].Reason, recorder.Statuses().Any(status => status.Status is BotStatus.Recording)));
    }

    private string Write(string text)
    {
        var path = Path.Combine(_folder.FullName, Path.GetRandomFileName());
        File.WriteAllText(path, text);
        return path;
    }
}
