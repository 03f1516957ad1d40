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
internal sealed partial class AudioRecovery(SessionJournal journal, RejoinBudget budget, ILogger<AudioRecovery> logger)
{
    private readonly AudioMonitor _monitor = new();
    private readonly NetworkMonitor _network = new(budget);
    private ICapturedPage? _page;
    private DateTimeOffset? _deafSince;
    private DateTimeOffset _checkedAt;

    /// <summary>The fault of the network or of the capture that lasts, with its figures; <see langword="null"/> without one.</summary>
    public string? Warning => _network.Warning ?? _monitor.Warning;

    /// <summary>Recorded silence may be lost audio.</summary>
    public bool IsInDoubt => _network.IsInDoubt || _monitor.IsInDoubt;

    /// <inheritdoc cref="NetworkMonitor.IsInDoubt"/>
    public bool IsNetworkInDoubt => _network.IsInDoubt;

    /// <summary>
    /// Why the bot should leave. While it can join again: its connections are down, or no remedy has brought back audio that is received.
    /// Afterwards: its connections stay down. <see langword="null"/> without a reason.
    /// </summary>
    public EndReason? CauseToLeave =>
        !budget.HasLossLeft ? (_network.IsHopeless ? EndReason.NetworkLost : null)
        : _network.IsRejoinDue ? EndReason.NetworkLost
        : _checkedAt - _deafSince >= NetworkMonitor.RejoinAfter ? EndReason.NoAudio : null;

    /// <summary>Writes the rest of a loss to the journal. Call when the bot leaves or joins again.</summary>
    public void CompleteLoss(RecordingProgress progress)
    {
        if (_network.CompleteLoss(progress) is { } lost)
            AddToJournal(lost);
        if (_monitor.CompleteLoss(progress) is { } unheard)
            AddToJournal(unheard);
    }

    /// <summary>
    /// Forgets the connections and tracks. Call when the bot is in the waiting room again: its page stays, and may close its connections, which is
    /// no loss of the network.
    /// </summary>
    public void Pause(RecordingProgress progress)
    {
        if (_monitor.CompleteLoss(progress) is { } unheard)
            AddToJournal(unheard);
        _monitor.Reset();
        _network.Forget();
        _deafSince = null;
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
            if (progress.Network.Live > 0)
                LogNetworkRestored();
            else
                LogNobodyLeft();
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
        _deafSince = _monitor.IsDeaf ? _deafSince ?? now : null;
        _checkedAt = now;
        if (check.Lost is { } gap)
            AddToJournal(gap);
        if (hadWarning && _monitor.Warning is null)
            LogRecovered();
        switch (check.Remedy)
        {
            case AudioRemedy.RehookTracks:
                LogRehooking();
                Trace("audio.rehook_tracks");
                await page.RehookTracksAsync();
                break;
            case AudioRemedy.RestartCapture:
                LogRestarting();
                Trace("audio.restart_capture");
                await page.RestartCaptureAsync();
                break;
            case AudioRemedy.Warn:
                LogWarning(WireWord.Of(EndReason.NoAudio), _monitor.Warning);
                Trace("audio.no_audio");
                break;
        }
    }

    private void Watch(ICapturedPage page)
    {
        (_page, _deafSince) = (page, null);
        _monitor.Reset();
        _network.Reset();
    }

    private void AddToJournal(Gap gap) => journal.TryAppend(new(Gap: gap));

    private void Trace(string eventName)
    {
        using var activity = RecorderActivity.Start("audio check");
        activity?.AddEvent(new(eventName, tags: new ActivityTagsCollection { ["newarbots.audio.warning"] = Warning }));
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Received audio is not recorded: hooking every track again")]
    private partial void LogRehooking();

    [LoggerMessage(Level = LogLevel.Warning, Message = "Received audio is still not recorded: restarting the capture with another encoder")]
    private partial void LogRestarting();

    [LoggerMessage(Level = LogLevel.Error, Message = "{Reason}: {Warning} Recording continues")]
    private partial void LogWarning(string reason, string? warning);

    [LoggerMessage(Level = LogLevel.Information, Message = "Received audio is recorded again")]
    private partial void LogRecovered();

    [LoggerMessage(Level = LogLevel.Warning, Message = "Gap in the recording from {Start} s to {End} s: the connections to the call were down")]
    private partial void LogShortLoss(double start, double end);

    [LoggerMessage(Level = LogLevel.Information, Message = "The connection to the call is back")]
    private partial void LogNetworkRestored();

    [LoggerMessage(Level = LogLevel.Information, Message = "The connection to the call is down, but nobody else is in the call: the gap ends")]
    private partial void LogNobodyLeft();
}

/// <summary>A page whose audio is captured.</summary>
internal interface ICapturedPage
{
    /// <inheritdoc cref="CaptureHook.RehookTracksAsync"/>
    Task RehookTracksAsync();

    /// <inheritdoc cref="CaptureHook.RestartAsync"/>
    Task RestartCaptureAsync();
}
