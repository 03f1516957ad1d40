using Microsoft.Extensions.Logging;
using NewarBots.Contract;
using NewarBots.Recorder.Reporting;

namespace NewarBots.Recorder.Leaving;

/// <summary>Writes the times to the journal at which the bot was in the waiting room again: what was said in the call is missing.</summary>
internal sealed partial class WaitingRoomGaps(SessionJournal journal, ILogger<WaitingRoomGaps> logger)
{
    /// <summary>A long wait is written in parts of this length, in case the recorder is killed.</summary>
    private const double PartSeconds = 10;

    private double? _from;
    private double _inCallUntil;

    /// <param name="isShown">The page shows the waiting room.</param>
    /// <param name="isWaiting">And no audio is received any more, which is known some seconds later.</param>
    /// <param name="seconds">The length of the recording.</param>
    public void Observe(bool isShown, bool isWaiting, double seconds)
    {
        if (_from is { } from && (!isWaiting || seconds - from >= PartSeconds))
        {
            Write(from, seconds);
            _from = isWaiting ? seconds : null;
        }
        else if (isWaiting)
        {
            _from ??= _inCallUntil;
        }

        if (!isShown)
            _inCallUntil = seconds;
    }

    private void Write(double from, double to)
    {
        if (to <= from)
            return;
        LogGap(from, to);
        journal.TryAppend(new(Gap: new(from, to, GapCause.WaitingRoom)));
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Gap in the recording from {From} s to {To} s: the bot was in the waiting room again")]
    private partial void LogGap(double from, double to);
}
