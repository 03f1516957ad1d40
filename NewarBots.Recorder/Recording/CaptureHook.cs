using System.Security.Cryptography;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.Playwright;
using NewarBots.Contract;

namespace NewarBots.Recorder.Recording;

/// <summary>
/// The recorder's ear in the page (capture.js). Its audio comes by a DevTools binding, which no content security policy can
/// forbid, and its names are new for each session, so that no page meets a name that it could know.
/// </summary>
internal sealed class CaptureHook(RecorderEnvironment environment)
{
    /// <summary>So many tracks at once have an encoder of their own, where that is wanted.</summary>
    private const int MostAlone = 16;

    private readonly string _hook = NewName();
    private readonly string _binding = NewName();
    private readonly Channel<CaptureMessage> _messages =
        Channel.CreateUnbounded<CaptureMessage>(new() { SingleReader = true, AllowSynchronousContinuations = false });
    private int _browsers;

    /// <summary>What the pages hand over, in order.</summary>
    public ChannelReader<CaptureMessage> Messages => _messages.Reader;

    /// <summary>JavaScript that is true where this page's audio is being encoded.</summary>
    public string IsCapturingExpression => $"!!window['{_hook}']?.capturing";

    /// <summary>Puts the hook before every script of every page that a new browser's page will show. Call before it goes anywhere.</summary>
    public async Task InstallAsync(IPage page)
    {
        var session = await page.Context.NewCDPSessionAsync(page);
        var browser = _browsers++;
        session.Event("Runtime.bindingCalled").OnEvent += (_, call) => OnBindingCalled(browser, call);
        await session.SendAsync("Runtime.enable");
        await session.SendAsync("Runtime.addBinding", new() { ["name"] = _binding });
        await page.AddInitScriptAsync(EmbeddedText.Read("Recording.capture.js")
            .Replace("__HOOK__", _hook, StringComparison.Ordinal)
            .Replace("__BINDING__", _binding, StringComparison.Ordinal)
            .Replace("__MOST_ALONE__", $"{(environment.RecordTracks ? MostAlone : 0)}", StringComparison.Ordinal));
    }

    /// <summary>Begins to encode, where that was not begun in this page: the time line starts now.</summary>
    public Task StartAsync(IPage page) => page.EvaluateAsync($"() => window['{_hook}'].start()");

    /// <summary>Hooks every track anew.</summary>
    public Task HearAgainAsync(IPage page) => page.EvaluateAsync($"() => window['{_hook}']?.hearAgain()");

    /// <summary>Hooks every track anew and encodes with another encoder, where this page was being encoded or not.</summary>
    public Task BeginAgainAsync(IPage page) => page.EvaluateAsync($"() => window['{_hook}']?.beginAgain()");

    /// <summary>Ends the encoding; when it returns, the last message is in <see cref="Messages"/>.</summary>
    public Task StopAsync(IPage page) => page.EvaluateAsync($"() => window['{_hook}']?.stop()");

    /// <returns>What every connection of the page says of itself (<c>getStats</c>), as JSON; <see langword="null"/> where there is no hook.</returns>
    public Task<string?> ReadConnectionsAsync(IPage page) => page.EvaluateAsync<string?>($"() => window['{_hook}']?.stats()");

    /// <summary>Takes a message that no page handed over.</summary>
    public void Hear(CaptureMessage message) => _messages.Writer.TryWrite(message);

    /// <summary>No more messages: <see cref="Messages"/> ends behind those that came.</summary>
    public void Complete() => _messages.Writer.TryComplete();

    private void OnBindingCalled(int browser, JsonElement? call)
    {
        if (call is { } found && found.GetProperty("name").ValueEquals(_binding) && found.GetProperty("payload").GetString() is { } payload)
            _messages.Writer.TryWrite(new(browser, payload));
    }

    private static string NewName() => $"_{RandomNumberGenerator.GetHexString(16, lowercase: true)}";
}

/// <param name="Browser">Which of the session's browsers it is from, counted from 0.</param>
/// <param name="Payload">For <see cref="CapturedBatch.Parse"/>.</param>
internal readonly record struct CaptureMessage(int Browser, string Payload);
