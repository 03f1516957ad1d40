using System.Security.Cryptography;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.Playwright;
using NewarBots.Contract;
using NewarBots.Recorder.Hosting;

namespace NewarBots.Recorder.Recording;

/// <summary>
/// Injects the capture script into pages and receives its messages. They arrive over a DevTools binding, which no content security policy
/// can block. The script's global names are random per session, so a page cannot know them.
/// </summary>
internal sealed class CaptureHook(RecorderAssignment assignment)
{
    /// <summary>How many tracks have an encoder of their own at the same time, if tracks are recorded.</summary>
    private const int MaxSoloTracks = 16;

    private readonly string _hook = NewName();
    private readonly string _binding = NewName();
    private readonly Channel<CaptureMessage> _messages =
        Channel.CreateUnbounded<CaptureMessage>(new() { SingleReader = true, AllowSynchronousContinuations = false });
    private int _browsers;

    /// <summary>The pages' messages, in order.</summary>
    public ChannelReader<CaptureMessage> Messages => _messages.Reader;

    /// <summary>A JavaScript expression that is true while the page's audio is encoded.</summary>
    public string IsCapturingExpression => $"!!window['{_hook}']?.capturing";

    /// <summary>A JavaScript expression: the audio bytes that the page's connections have received so far.</summary>
    public string ReceivedBytesExpression => $"(window['{_hook}']?.receivedBytes ?? 0)";

    /// <summary>Injects the script ahead of every script of every page that <paramref name="page"/> will show. Call before it navigates.</summary>
    public async Task InstallAsync(IPage page)
    {
        var session = await page.Context.NewCDPSessionAsync(page);
        var browser = _browsers++;
        session.Event("Runtime.bindingCalled").OnEvent += (_, call) => OnBindingCalled(browser, call);
        await session.SendAsync("Runtime.enable");
        await session.SendAsync("Runtime.addBinding", new() { ["name"] = _binding });
        await page.AddInitScriptAsync(CaptureScript.Assemble(_hook, _binding, assignment.RecordTracks ? MaxSoloTracks : 0));
    }

    /// <summary>Starts encoding, unless this page is being encoded already. The capture's time line starts now.</summary>
    public Task StartAsync(IPage page) => page.EvaluateAsync($"() => window['{_hook}'].start()");

    /// <summary>Hooks every track again.</summary>
    public Task RehookTracksAsync(IPage page) => page.EvaluateAsync($"() => window['{_hook}']?.rehookTracks()");

    /// <summary>Hooks every track again and starts another encoder, even if none is running.</summary>
    public Task RestartAsync(IPage page) => page.EvaluateAsync($"() => window['{_hook}']?.restart()");

    /// <summary>Stops encoding. When the task completes, the last message is in <see cref="Messages"/>.</summary>
    public Task StopAsync(IPage page) => page.EvaluateAsync($"() => window['{_hook}']?.stop()");

    /// <returns>The <c>getStats</c> reports of each WebRTC connection, as JSON; <see langword="null"/> if the page has no hook.</returns>
    public Task<string?> ReadConnectionsAsync(IPage page) => page.EvaluateAsync<string?>($"() => window['{_hook}']?.connectionStats()");

    /// <summary>Adds a message that comes from no page.</summary>
    public void Add(CaptureMessage message) => _messages.Writer.TryWrite(message);

    /// <summary>Ends <see cref="Messages"/> after those already received.</summary>
    public void Complete() => _messages.Writer.TryComplete();

    private void OnBindingCalled(int browser, JsonElement? call)
    {
        if (call is { } found && found.GetProperty("name").ValueEquals(_binding) && found.GetProperty("payload").GetString() is { } payload)
            _messages.Writer.TryWrite(new(browser, payload));
    }

    private static string NewName() => $"_{RandomNumberGenerator.GetHexString(16, lowercase: true)}";
}

/// <param name="Browser">Which of the session's browsers sent it, counted from 0.</param>
/// <param name="Payload">For <see cref="CapturedBatch.Parse"/>.</param>
internal readonly record struct CaptureMessage(int Browser, string Payload);

/// <summary>Assembles the capture script: <c>capture.js</c> with the files of the folder <c>Capture</c> in one function scope.</summary>
internal static class CaptureScript
{
    /// <summary>In this order: a constant must be defined before the parts that use it in a definition.</summary>
    private static readonly string[] Parts = ["samples", "encoder", "solo", "mix", "connections", "tracks", "hook"];

    /// <param name="hook">The global name of the hook.</param>
    /// <param name="binding">The global name of the DevTools binding.</param>
    /// <param name="maxSoloTracks">How many tracks are encoded separately at the same time.</param>
    public static string Assemble(string hook, string binding, int maxSoloTracks) => EmbeddedFile.ReadText("Recording.capture.js")
        .Replace("__HOOK__", hook, StringComparison.Ordinal)
        .Replace("__BINDING__", binding, StringComparison.Ordinal)
        .Replace("__MAX_SOLO_TRACKS__", $"{maxSoloTracks}", StringComparison.Ordinal)
        .Replace("/* __PARTS__ */", string.Join('\n', Parts.Select(part => EmbeddedFile.ReadText($"Recording.Capture.{part}.js"))), StringComparison.Ordinal);
}
