using Microsoft.Extensions.Logging;
using NewarBots.Contract;

namespace NewarBots.Recorder.Reporting;

/// <summary>
/// Writes a screenshot of the page to the session folder when the manager asks for one. One at a time, at most one each second: it takes CPU time that
/// the audio needs. Thread-safe.
/// </summary>
internal sealed partial class LiveScreenshots(string folder, TimeProvider time, ILogger<LiveScreenshots> logger)
{
    private static readonly TimeSpan MinInterval = TimeSpan.FromSeconds(1);

    private readonly string _file = Path.Combine(folder, StorageLayout.ScreenshotName);
    private int _isTaking;
    private IScreenshotPage? _page;

    /// <summary>The page that the bot visits now.</summary>
    public IScreenshotPage? Page
    {
        get => Volatile.Read(ref _page);
        set => Volatile.Write(ref _page, value);
    }

    /// <summary>Takes a screenshot in the background. Without effect while one is taken, and without a page.</summary>
    public void Request()
    {
        if (Page is { Gone: null } page && Interlocked.Exchange(ref _isTaking, 1) == 0)
            _ = Task.Run(() => TakeAsync(page));
    }

    private async Task TakeAsync(IScreenshotPage page)
    {
        try
        {
            if (await page.LiveScreenshotAsync() is { } picture)
            {
                await File.WriteAllBytesAsync($"{_file}.new", picture);
                File.Move($"{_file}.new", _file, overwrite: true);
            }

            await Task.Delay(MinInterval, time);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            LogNotWritten(exception);
        }
        finally
        {
            Volatile.Write(ref _isTaking, 0);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The screenshot could not be written, the next request tries again")]
    private partial void LogNotWritten(Exception exception);
}

/// <summary>A page that can be seen while the bot records.</summary>
internal interface IScreenshotPage
{
    /// <inheritdoc cref="IEvidencePage.Gone"/>
    string? Gone { get; }

    /// <returns>A JPEG; <see langword="null"/> if the page does not respond.</returns>
    Task<byte[]?> LiveScreenshotAsync();
}
