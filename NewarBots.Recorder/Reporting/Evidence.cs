using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Logging;
using Microsoft.Playwright;
using NewarBots.Contract;
using NewarBots.Recorder.Joining;
using NewarBots.Recorder.Leaving;

namespace NewarBots.Recorder.Reporting;

/// <summary>
/// What a person needs to see why a bot failed: the page as a picture and as HTML, its console, what the selector pack saw,
/// what the connections say. Console and looks are remembered all along; the rest is taken at the failure, each failure into a
/// folder of its own below the session's <see cref="StorageLayout.EvidenceFolderName"/>.
/// </summary>
internal sealed partial class Evidence(string folder, TimeProvider time, ILogger<Evidence> logger)
{
    private const int MaxLines = 500;
    private const int MaxLineLength = 2_000;
    private const int MaxPageLength = 2_000_000;

    private readonly Lock _gate = new();
    private readonly Queue<string> _console = new();
    private readonly Queue<string> _looks = new();
    private int _taken;

    /// <summary>Remembers what the page's console says from now on, and what of the page fails.</summary>
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
                // It went together with its page.
            }
        };
        page.Download += (_, download) => Remember(_console, $"download refused: {download.Url}");
        page.Popup += (_, opened) => Remember(_console, $"window closed: {opened.Url}");
        page.Crash += (_, _) => Remember(_console, "the page crashed");
    }

    /// <summary>Remembers what was to be seen.</summary>
    public void Saw(PageView view) => Remember(_looks, $"{view.Url} \"{view.Title}\" shows [{view.Entries}]");

    /// <summary>Puts everything into a new folder. What cannot be had any more is left out.</summary>
    /// <param name="decision">What it is evidence of; <see langword="null"/> for an error of the recorder's own.</param>
    /// <param name="page">The page, where there was one.</param>
    public async Task TakeAsync(LeaveDecision? decision, MeetingPage? page)
    {
        var what = decision is null ? "unexpected" : WireWord.Of(decision.Reason);
        try
        {
            var place = Directory.CreateDirectory(Path.Combine(folder, StorageLayout.EvidenceFolderName, $"{++_taken}_{what}")).FullName;
            var about = new EvidenceSummary(time.GetUtcNow(), decision?.Reason, decision?.Detail, page?.Selectors);
            await WriteAsync("summary.json", JsonSerializer.Serialize(about, EvidenceJson.Default.EvidenceSummary));
            await WriteAsync("console.txt", Remembered(_console));
            await WriteAsync("looks.txt", Remembered(_looks));
            if (page is not { Gone: null })
                return;
            if (await page.ScreenshotAsync() is { } picture)
                await File.WriteAllBytesAsync(Path.Combine(place, "screenshot.png"), picture);
            if (await page.ReadHtmlAsync() is { } html)
                await WriteAsync("page.html", html.Length > MaxPageLength ? html[..MaxPageLength] : html);
            if (await page.ReadConnectionsAsync() is { } connections)
                await WriteAsync("webrtc.json", connections);
            LogTaken(place);

            Task WriteAsync(string name, string text) => File.WriteAllTextAsync(Path.Combine(place, name), text);
        }
        catch (IOException exception)
        {
            LogFailed(exception);
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

    private string Remembered(Queue<string> lines)
    {
        lock (_gate)
            return string.Concat(lines.Select(line => $"{line}\n"));
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Evidence is in {Folder}")]
    private partial void LogTaken(string folder);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The evidence could not be written")]
    private partial void LogFailed(Exception exception);
}

/// <param name="TakenAt">When.</param>
/// <param name="Reason">Of what it is evidence; <see langword="null"/> for an error of the recorder's own, which its log tells.</param>
/// <param name="Detail">One line for a person.</param>
/// <param name="Selectors">The selector pack in use: name and version.</param>
internal sealed record EvidenceSummary(DateTimeOffset TakenAt, EndReason? Reason, string? Detail, string? Selectors);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, WriteIndented = true)]
[JsonSerializable(typeof(EvidenceSummary))]
internal sealed partial class EvidenceJson : JsonSerializerContext;
