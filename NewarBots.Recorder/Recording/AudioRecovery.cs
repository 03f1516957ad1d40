using System.Diagnostics;
using Microsoft.Extensions.Logging;
using NewarBots.Contract;
using NewarBots.Recorder.Hosting;
using NewarBots.Recorder.Reporting;

namespace NewarBots.Recorder.Recording;

/// <summary>
/// Applies the remedies that <see cref="AudioMonitor"/> chooses, and writes audio to the journal that it or <see cref="NetworkMonitor"/>
/// finds lost.
/// </summary>
internal sealed partial class AudioRecovery(SessionJournal journal, ILogger<AudioRecovery> logger)
{
    private readonly AudioMonitor _monitor = new();
    private readonly NetworkMonitor _network = new();
    private ICapturedPage? _page;

    /// <summary>The fault of the network or of the capture that lasts, with its figures; <see langword="null"/> without one.</summary>
    public string? Warning => _network.Warning ?? _monitor.Warning;

    /// <summary>Recorded silence may be lost audio.</summary>
    public bool IsInDoubt => _network.IsInDoubt || _monitor.IsInDoubt;

    /// <inheritdoc cref="NetworkMonitor.IsInDoubt"/>
    public bool IsNetworkInDoubt => _network.IsInDoubt;

    /// <inheritdoc cref="NetworkMonitor.TakeRejoin"/>
    public bool TakeRejoin() => _network.TakeRejoin();

    /// <summary>Writes the rest of a loss to the journal. Call when the bot leaves or joins again.</summary>
    public void CompleteLoss(RecordingProgress progress)
    {
        if (_network.CompleteLoss(progress) is { } lost)
            AddToJournal(lost);
        if (_monitor.CompleteLoss(progress) is { } unheard)
            AddToJournal(unheard);
    }

    /// <summary>Checks the connections. Call about once a second, whatever the page shows.</summary>
    /// <inheritdoc cref="NetworkMonitor.Observe"/>
    public void CheckNetwork(ICapturedPage page, RecordingProgress progress, int? others, DateTimeOffset now)
    {
        if (_page != page)
            Watch(page);
        var hadWarning = _network.Warning is not null;
        var gap = _network.Observe(progress, others, now);
        if (gap is not null)
            AddToJournal(gap);
        if (!hadWarning && _network.Warning is { } warning)
        {
            LogWarning(WireWord.Of(EndReason.NoAudio), warning);
            Trace("network.lost");
        }
        else if (hadWarning && _network.Warning is null)
        {
            LogNetworkRestored();
        }
        else if (!hadWarning && gap is not null)
        {
            LogShortLoss(gap.StartSeconds, gap.EndSeconds);
        }
    }

    /// <inheritdoc cref="AudioMonitor.Observe"/>
    public async Task CheckAsync(ICapturedPage page, RecordingProgress progress, int? others, DateTimeOffset now)
    {
        if (_page != page)
            Watch(page);
        var hadWarning = _monitor.Warning is not null;
        var check = _monitor.Observe(progress, others, now);
        if (check.Lost is { } gap)
            AddToJournal(gap);
        if (hadWarning && _monitor.Warning is null)
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
                LogWarning(WireWord.Of(EndReason.NoAudio), _monitor.Warning);
                Trace("hearing.no_audio");
                break;
        }
    }

    private void Watch(ICapturedPage page)
    {
        _page = page;
        _monitor.Reset();
        _network.Reset();
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

    [LoggerMessage(Level = LogLevel.Warning, Message = "Gap in the recording from {Start} s to {End} s: no connection was connected")]
    private partial void LogShortLoss(double start, double end);

    [LoggerMessage(Level = LogLevel.Information, Message = "Audio can arrive again: a connection is connected, or nobody else is in the call")]
    private partial void LogNetworkRestored();
}

/// <summary>A page whose audio is captured.</summary>
internal interface ICapturedPage
{
    /// <inheritdoc cref="CaptureHook.RehookTracksAsync"/>
    Task RehookTracksAsync();

    /// <inheritdoc cref="CaptureHook.RestartAsync"/>
    Task RestartCaptureAsync();
}
