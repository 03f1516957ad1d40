using System.Diagnostics;
using Microsoft.Extensions.Logging;
using NewarBots.Contract;
using NewarBots.Recorder.Joining;
using NewarBots.Recorder.Reporting;

namespace NewarBots.Recorder.Recording;

/// <summary>Sees to it that what is received is heard: asks <see cref="Hearing"/>, does what helps, and notes what was missed.</summary>
internal sealed partial class HearingAid(SessionJournal journal, ILogger<HearingAid> logger)
{
    private readonly Hearing _hearing = new();
    private MeetingPage? _page;

    /// <summary>Why what is said in the call is not recorded; <see langword="null"/> while it is.</summary>
    public string? Warning => _hearing.Warning;

    /// <inheritdoc cref="Hearing.IsInDoubt"/>
    public bool IsInDoubt => _hearing.IsInDoubt;

    /// <summary>To be called about once a second.</summary>
    /// <param name="page">The page, which shows the call.</param>
    /// <param name="progress">What is recorded.</param>
    /// <param name="others">How many others are in the call; <see langword="null"/> where the page does not tell.</param>
    /// <param name="now">When.</param>
    public async Task TendAsync(MeetingPage page, RecordingProgress progress, int? others, DateTimeOffset now)
    {
        if (_page != page)
            _hearing.Forget();
        _page = page;

        var warned = Warning is not null;
        var step = _hearing.Observe(progress, others, now);
        if (step.NotHeard is { } gap)
            Note(gap);
        if (warned && Warning is null)
            LogHearsAgain();
        switch (step.Remedy)
        {
            case HearingRemedy.HearAgain:
                LogHooksAgain();
                Tell("hearing.hook_again");
                await page.HearAgainAsync();
                break;
            case HearingRemedy.BeginAgain:
                LogEncodesAgain();
                Tell("hearing.begin_again");
                await page.BeginCaptureAgainAsync();
                break;
            case HearingRemedy.Alarm:
                LogDeaf(WireWord.Of(EndReason.NoAudio), Warning);
                Tell("hearing.no_audio");
                break;
        }
    }

    private void Note(Gap gap)
    {
        try
        {
            journal.Append(new(Gap: gap));
        }
        catch (IOException exception)
        {
            // The recording's loop meets the same disk, and ends the call in order.
            LogJournalFailed(exception);
        }
    }

    private void Tell(string what)
    {
        using var activity = RecorderActivity.Start("hearing check");
        activity?.AddEvent(new(what, tags: new ActivityTagsCollection { ["newarbots.hearing.warning"] = Warning }));
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "What is received is not heard: hooks every track again")]
    private partial void LogHooksAgain();

    [LoggerMessage(Level = LogLevel.Warning, Message = "What is received is still not heard: begins with another encoder")]
    private partial void LogEncodesAgain();

    [LoggerMessage(Level = LogLevel.Error, Message = "{Reason}: {Why} Records on")]
    private partial void LogDeaf(string reason, string? why);

    [LoggerMessage(Level = LogLevel.Error, Message = "A gap could not be written to the journal")]
    private partial void LogJournalFailed(Exception exception);

    [LoggerMessage(Level = LogLevel.Information, Message = "Hears again what is received")]
    private partial void LogHearsAgain();
}
