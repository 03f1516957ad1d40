using System.Diagnostics;
using Microsoft.Extensions.Logging;
using NewarBots.Contract;
using NewarBots.Recorder.Hosting;
using NewarBots.Recorder.Reporting;

namespace NewarBots.Recorder.Recording;

/// <summary>Applies the remedies that <see cref="AudioMonitor"/> chooses, and writes lost audio to the journal.</summary>
internal sealed partial class AudioRecovery(SessionJournal journal, ILogger<AudioRecovery> logger)
{
    private readonly AudioMonitor _monitor = new();
    private ICapturedPage? _page;

    /// <inheritdoc cref="AudioMonitor.Warning"/>
    public string? Warning => _monitor.Warning;

    /// <inheritdoc cref="AudioMonitor.IsInDoubt"/>
    public bool IsInDoubt => _monitor.IsInDoubt;

    /// <inheritdoc cref="AudioMonitor.Observe"/>
    public async Task CheckAsync(ICapturedPage page, RecordingProgress progress, int? others, DateTimeOffset now)
    {
        if (_page != page)
            _monitor.Reset();
        _page = page;

        var hadWarning = Warning is not null;
        var check = _monitor.Observe(progress, others, now);
        if (check.Lost is { } gap)
            AddToJournal(gap);
        if (hadWarning && Warning is null)
            LogRecovered();
        switch (check.Remedy)
        {
            case AudioRemedy.RehookTracks:
                LogRehooking();
                Trace("hearing.hook_again");
                await page.RehookTracksAsync();
                break;
            case AudioRemedy.RestartCapture:
                LogRestarting();
                Trace("hearing.begin_again");
                await page.RestartCaptureAsync();
                break;
            case AudioRemedy.Warn:
                LogWarning(WireWord.Of(EndReason.NoAudio), Warning);
                Trace("hearing.no_audio");
                break;
        }
    }

    private void AddToJournal(Gap gap)
    {
        try
        {
            journal.Append(new(Gap: gap));
        }
        catch (IOException exception)
        {
            // The recording loop fails on the same disk and ends the call properly.
            LogJournalFailed(exception);
        }
    }

    private void Trace(string eventName)
    {
        using var activity = RecorderActivity.Start("hearing check");
        activity?.AddEvent(new(eventName, tags: new ActivityTagsCollection { ["newarbots.hearing.warning"] = Warning }));
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Received audio is not recorded: hooking every track again")]
    private partial void LogRehooking();

    [LoggerMessage(Level = LogLevel.Warning, Message = "Received audio is still not recorded: restarting the capture with another encoder")]
    private partial void LogRestarting();

    [LoggerMessage(Level = LogLevel.Error, Message = "{Reason}: {Warning} Recording continues")]
    private partial void LogWarning(string reason, string? warning);

    [LoggerMessage(Level = LogLevel.Error, Message = "Writing a gap to the journal failed")]
    private partial void LogJournalFailed(Exception exception);

    [LoggerMessage(Level = LogLevel.Information, Message = "Received audio is recorded again")]
    private partial void LogRecovered();
}

/// <summary>A page whose audio is captured.</summary>
internal interface ICapturedPage
{
    /// <inheritdoc cref="CaptureHook.RehookTracksAsync"/>
    Task RehookTracksAsync();

    /// <inheritdoc cref="CaptureHook.RestartAsync"/>
    Task RestartCaptureAsync();
}
