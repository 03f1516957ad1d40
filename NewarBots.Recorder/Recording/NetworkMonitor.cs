using System.Globalization;
using NewarBots.Contract;

namespace NewarBots.Recorder.Recording;

/// <summary>
/// Detects that no audio can arrive: others may be in the call, and none of the connections that should carry their audio is connected.
/// A loss is confirmed by a connection that failed, by <see cref="Timeout"/>, or by the connection that ends it.
/// </summary>
/// <remarks>
/// Connections that the other side closed are a loss only if the page counts others for <see cref="Timeout"/>: participants who leave or
/// reload close them too. The first connection of a page may take a moment, too: until it is connected, the bot is still joining.
/// A page that closes a lost connection, to make another one, does not end the loss.
/// </remarks>
/// <param name="budget">Whether the bot can join again.</param>
internal sealed class NetworkMonitor(RejoinBudget budget)
{
    /// <summary>How long a connection may take to recover before the bot warns.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(20);

    /// <summary>How long the page has to recover before the bot joins again.</summary>
    public static readonly TimeSpan RejoinAfter = TimeSpan.FromSeconds(60);

    /// <summary>How long the bot stays without a connection after its last rejoin.</summary>
    private static readonly TimeSpan GiveUpAfter = TimeSpan.FromMinutes(10);

    /// <summary>Shorter losses are no gap: a page that replaces its connection takes a moment.</summary>
    private static readonly TimeSpan MinLoss = TimeSpan.FromSeconds(2);

    /// <summary>A page may stop counting others this much earlier than the capture reports the loss that caused it.</summary>
    private static readonly TimeSpan ReportDelay = TimeSpan.FromSeconds(4);

    private string? _page;
    private string? _oldPage;
    private double? _since;
    private DateTimeOffset _sinceAt;
    private DateTimeOffset _now;
    private DateTimeOffset? _othersAt;
    private double _reportedUntil;
    private bool _isConfirmed;
    private bool _isClosedByPeer;
    private bool _wasLive;
    private bool _wasLostBefore;

    /// <summary>The confirmed loss, with its figures; <see langword="null"/> without one.</summary>
    public string? Warning { get; private set; }

    /// <summary>Silence, and a count of nobody, may be due to the network.</summary>
    public bool IsInDoubt => _since is not null;

    /// <param name="progress">The state of the recording.</param>
    /// <param name="others">How many other participants are in the call; <see langword="null"/> if the page does not show it.</param>
    /// <param name="now">The loss is measured by the clock: the time line stands still while the page has no capture.</param>
    /// <returns>The part of the time line that became a gap since the last call.</returns>
    public Gap? Observe(RecordingProgress progress, int? others, DateTimeOffset now)
    {
        var (network, recorded) = (progress.Network, progress.RecordedSeconds);
        (_now, _page) = (now, progress.Page);
        _othersAt = others > 0 ? now : _othersAt;
        if (network is { Expected: > 0, Live: 0 })
            _isClosedByPeer = network.ClosedByPeer == network.Expected;
        var isDown = network.LostAt is not null || (_since is not null && network.Expected == 0);
        // A page whose network is lost may count nobody. Participants who all leave close their connections.
        var isCountInDoubt = others is null || ((_since is not null || now - _othersAt < ReportDelay) && (budget.HasLossLeft || Lasts < RejoinAfter));
        var isLost = isDown && progress.Page != _oldPage && (others > 0 || (isCountInDoubt && !_isClosedByPeer));
        if (!isLost)
        {
            _wasLostBefore &= _page == _oldPage || (network.Expected == 0 && others is not 0);
            var rest = End(network, recorded);
            _isClosedByPeer &= network.Live == 0;
            return rest;
        }

        if (_since is null)
        {
            // The gap may begin later, at the end of the part that was reported last. The loss does not.
            _since = Math.Max(0, network.LostAt!.Value / 1000.0);
            _sinceAt = now - TimeSpan.FromSeconds(Math.Max(0, recorded - _since.Value));
        }

        _wasLive |= network.WasLive;
        _isConfirmed |= _wasLostBefore || network.HasFailed || Lasts >= Timeout;
        if (!_isConfirmed)
            return null;
        var cause = network.Expected == 0
            ? "the page has no connection"
            : string.Create(CultureInfo.InvariantCulture, $"none of the {network.Expected} connections is connected, {network.ClosedByPeer} of them closed by the other side");
        Warning = string.Create(CultureInfo.InvariantCulture, $"No audio can arrive for {Lasts.TotalSeconds:0} s: {cause}.");
        return NextGap(recorded);
    }

    /// <summary>The bot should join again.</summary>
    public bool IsRejoinDue => _isConfirmed && Lasts >= RejoinAfter;

    /// <summary>Neither the page nor a rejoin has brought a connection back.</summary>
    public bool IsHopeless => _isConfirmed && Lasts >= GiveUpAfter;

    /// <summary>Call when the bot leaves or joins again.</summary>
    /// <returns>The rest of a loss that lasts; <see langword="null"/> without one.</returns>
    public Gap? CompleteLoss(RecordingProgress progress) =>
        _isConfirmed || (Lasts >= MinLoss && _wasLive && !_isClosedByPeer) ? NextGap(progress.RecordedSeconds) : null;

    /// <summary>Forgets the connections. Call when another page is observed: until that page reports, the old page's report does not count.</summary>
    public void Reset()
    {
        (_oldPage, _isClosedByPeer) = (_page, false);
        // A new page whose connections are down as well continues the loss.
        _wasLostBefore = _isConfirmed;
        Forget();
    }

    /// <summary>Forgets a loss, without a gap.</summary>
    public void Forget() => (_since, _isConfirmed, _wasLive, Warning) = (null, false, false, null);

    private Gap? End(NetworkState network, double recorded)
    {
        if (_since is not { } since)
            return null;
        var isRestored = network.Live > 0;
        var end = isRestored && network.RestoredAt / 1000.0 is { } restored && restored > since ? restored : recorded;
        var isGap = _isConfirmed || (isRestored && _wasLive && !_isClosedByPeer && end - since >= MinLoss.TotalSeconds);
        var gap = isGap ? NextGap(end) : null;
        Forget();
        return gap;
    }

    private TimeSpan Lasts => _since is null ? TimeSpan.Zero : _now - _sinceAt;

    /// <summary>Gaps are reported in parts, in case the recorder is killed.</summary>
    private Gap? NextGap(double until)
    {
        var from = Math.Max(_since ?? until, _reportedUntil);
        if (until <= from)
            return null;
        _reportedUntil = until;
        return new(from, until, GapCause.NetworkLost);
    }
}
