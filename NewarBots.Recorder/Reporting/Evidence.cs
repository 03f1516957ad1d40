using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Logging;
using Microsoft.Playwright;
using NewarBots.Contract;

namespace NewarBots.Recorder.Reporting;

/// <summary>
/// Collects what a person needs to find out why a bot failed: screenshot and HTML of the page, its console, the selector matches and
/// the WebRTC statistics. Console and matches are kept throughout, the rest is collected on failure. Each failure gets its own folder
/// below the session's <see cref="StorageLayout.EvidenceFolderName"/>. Only the first failures of a kind, and the last one of the bot, get one.
/// </summary>
internal sealed partial class Evidence(string folder, TimeProvider time, ILogger<Evidence> logger)
{
    private const int MaxLines = 500;
    private const int MaxLineLength = 2_000;
    private const int MaxPageLength = 2_000_000;

    /// <summary>For each kind of failure. A warning that comes and goes must not fill the session folder.</summary>
    private const int MaxFolders = 5;

    private readonly Lock _gate = new();
    private readonly Queue<string> _console = new();
    private readonly Queue<string> _looks = new();
    private readonly Dictionary<string, int> _folders = [];
    private int _failures;

    /// <summary>Starts keeping the page's console messages, errors, dialogs and failed requests.</summary>
    public void Watch(IPage page)
    {
        page.Console += (_, message) => Remember(_console, $"{message.Type}: {message.Text}");
        page.PageError += (_, error) => Remember(_console, $"uncaught: {error}");
        page.RequestFailed += (_, request) => Remember(_console, $"request failed: {request.Method} {request.Url}: {request.Failure}");
        page.Dialog += async (_, dialog) =>
        {
            Remember(_console, $"dialog dismissed: {dialog.Type} \"{dialog.Message}\"");
            try
            {
                await dialog.DismissAsync();
            }
            catch (PlaywrightException)
            {
                // The dialog closed together with its page.
            }
        };
        page.Download += (_, download) => Remember(_console, $"download refused: {download.Url}");
        page.Popup += (_, opened) => Remember(_console, $"window closed: {opened.Url}");
        page.Crash += (_, _) => Remember(_console, "the page crashed");
    }

    /// <summary>Keeps one line about what the page shows.</summary>
    public void AddLook(string look) => Remember(_looks, look);

    /// <summary>Writes all evidence to a new folder. Parts that are no longer available are left out.</summary>
    /// <param name="reason">The failure; <see langword="null"/> for an unexpected error of the recorder.</param>
    /// <param name="detail">One line about the failure for a person.</param>
    /// <param name="page">The page, if there was one.</param>
    /// <param name="isLast">The bot ends.</param>
    public Task CollectAsync(EndReason? reason, string? detail, IEvidencePage? page, bool isLast = false) =>
        CollectAsync(reason is { } known ? WireWord.Of(known) : "unexpected", reason, detail, page, isLast);

    /// <summary>Writes all evidence of a dialog that the selector pack does not know.</summary>
    public Task CollectDialogAsync(string dialog, IEvidencePage page) => CollectAsync("unknown_dialog", reason: null, dialog, page, isLast: false);

    private async Task CollectAsync(string name, EndReason? reason, string? detail, IEvidencePage? page, bool isLast)
    {
        var earlier = _folders.GetValueOrDefault(name);
        if (earlier >= MaxFolders && !isLast)
        {
            LogSkipped(name, earlier);
            return;
        }

        _folders[name] = earlier + 1;
        try
        {
            var target = Directory.CreateDirectory(Path.Combine(folder, StorageLayout.EvidenceFolderName, $"{++_failures}_{name}")).FullName;
            var summary = new EvidenceSummary(time.GetUtcNow(), reason, detail, page?.Selectors);
            await WriteAsync("summary.json", JsonSerializer.Serialize(summary, EvidenceJson.Default.EvidenceSummary));
            await WriteAsync("console.txt", TextOf(_console));
            await WriteAsync("looks.txt", TextOf(_looks));
            if (page is { Gone: null })
                await WritePageAsync(page);
            LogCollected(target);

            async Task WritePageAsync(IEvidencePage page)
            {
                if (await page.ScreenshotAsync() is { } screenshot)
                    await File.WriteAllBytesAsync(Path.Combine(target, "screenshot.png"), screenshot);
                if (await page.ReadHtmlAsync() is { } html)
                    await WriteAsync("page.html", html.Length > MaxPageLength ? html[..MaxPageLength] : html);
                if (await page.ReadConnectionsAsync() is { } connections)
                    await WriteAsync("webrtc.json", connections);
            }

            Task WriteAsync(string file, string text) => File.WriteAllTextAsync(Path.Combine(target, file), text);
        }
        catch (IOException exception)
        {
            LogCollectingFailed(exception);
        }
    }

    private void Remember(Queue<string> lines, string line)
    {
        lock (_gate)
        {
            if (lines.Count == MaxLines)
                lines.Dequeue();
            lines.Enqueue($"{time.GetUtcNow():yyyy-MM-dd'T'HH:mm:ss.fff'Z'} {(line.Length > MaxLineLength ? line[..MaxLineLength] : line)}");
        }
    }

    private string TextOf(Queue<string> lines)
    {
        lock (_gate)
            return string.Concat(lines.Select(line => $"{line}\n"));
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "No more evidence of {Name} is written: {Folders} folders exist")]
    private partial void LogSkipped(string name, int folders);

    [LoggerMessage(Level = LogLevel.Information, Message = "Evidence written to {Folder}")]
    private partial void LogCollected(string folder);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Writing the evidence failed, continuing without it")]
    private partial void LogCollectingFailed(Exception exception);
}

/// <summary>A page from which evidence can be collected.</summary>
internal interface IEvidencePage
{
    /// <summary>Why the page no longer exists; <see langword="null"/> while it does.</summary>
    string? Gone { get; }

    /// <summary>The selector pack's name and version.</summary>
    string Selectors { get; }

    /// <returns>A PNG; <see langword="null"/> if the page does not respond.</returns>
    Task<byte[]?> ScreenshotAsync();

    /// <returns>The page's HTML; <see langword="null"/> if the page does not respond.</returns>
    Task<string?> ReadHtmlAsync();

    /// <returns>The <c>getStats</c> reports of each WebRTC connection, as JSON; <see langword="null"/> if the page does not respond.</returns>
    Task<string?> ReadConnectionsAsync();
}

/// <param name="TakenAt">When the evidence was collected.</param>
/// <param name="Reason">
/// The failure; <see langword="null"/> for a dialog, and for an unexpected error of the recorder, whose log has it.
/// </param>
/// <param name="Detail">One line about the failure for a person.</param>
/// <param name="Selectors">The selector pack in use: name and version.</param>
internal sealed record EvidenceSummary(DateTimeOffset TakenAt, EndReason? Reason, string? Detail, string? Selectors);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, WriteIndented = true)]
[JsonSerializable(typeof(EvidenceSummary))]
internal sealed partial class EvidenceJson : JsonSerializerContext;
