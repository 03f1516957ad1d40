using Microsoft.Extensions.Logging;
using NewarBots.Contract;
using NewarBots.Recorder.Reporting;

namespace NewarBots.Recorder.Leaving;

/// <summary>Writes the times to the journal at which somebody could be heard although the page counted nobody else.</summary>
internal sealed partial class CountDisagreements(SessionJournal journal, ILogger<CountDisagreements> logger)
{
    /// <summary>A long disagreement is written in parts of this length, in case the recorder is killed.</summary>
    private const double PartSeconds = 10;

    private (double From, int Participants)? _open;
    private bool _wasLogged;

    /// <param name="participants">The number that the page counts, if it disagrees with the audio; otherwise <see langword="null"/>.</param>
    /// <param name="seconds">The length of the recording.</param>
    public void Observe(int? participants, double seconds)
    {
        if (_open is { } open && (participants is null || seconds - open.From >= PartSeconds))
        {
            Write(new(open.From, seconds, open.Participants));
            _open = null;
        }

        if (participants is { } counted)
            _open ??= (seconds, counted);
    }

    private void Write(Disagreement disagreement)
    {
        if (disagreement.EndSeconds <= disagreement.StartSeconds)
            return;
        if (!_wasLogged)
            LogDisagreement(disagreement.Participants, disagreement.StartSeconds);
        _wasLogged = true;
        journal.TryAppend(new(Disagreement: disagreement));
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The page counts {Participants} participants, but somebody can be heard at {Seconds} s: the bot stays")]
    private partial void LogDisagreement(int participants, double seconds);
}
