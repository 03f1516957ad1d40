using NewarBots.Contract;
using NewarBots.Recorder.Recording;

namespace NewarBots.Tests.Recording;

public sealed class NetworkMonitorTests
{
    private static readonly NetworkState Live = new(Expected: 1, Live: 1, WasLive: true);

    private static readonly DateTimeOffset Start = new(2026, 7, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly RejoinBudget _budget = new();
    private readonly NetworkMonitor _network;
    private readonly List<Gap> _gaps = [];
    private int _seconds;
    private string _page = "first";

    public NetworkMonitorTests() => _network = new(_budget);

    [Theory]
    [InlineData(3)]
    [InlineData(null)]
    public void A_connection_that_recovers_leaves_a_gap_from_the_last_packet_and_no_warning(int? others)
    {
        Advance(40, Live, others);
        Advance(8, Lost(from: 39.5), others);
        Assert.Empty(_gaps);
        Assert.True(_network.IsInDoubt);

        Advance(10, Live with { RestoredAt = 49_200 }, others);

        Assert.Equal([new(39.5, 49.2, "network_lost")], _gaps);
        Assert.Null(_network.Warning);
        Assert.False(_network.IsInDoubt);
    }

    [Fact]
    public void A_failed_connection_is_a_warning_and_a_gap_that_grows()
    {
        Advance(40, Live);
        Advance(7, Lost(from: 39.5));
        Assert.Null(_network.Warning);

        Advance(3, Lost(from: 39.5) with { HasFailed = true });

        Assert.Contains("No audio can arrive for 11 s", _network.Warning, StringComparison.Ordinal);
        Assert.Equal([new(39.5, 48, "network_lost"), new(48, 49, "network_lost"), new(49, 50, "network_lost")], _gaps);
        Advance(1, Live with { RestoredAt = 50_700 });
        Assert.Null(_network.Warning);
        Assert.Equal(50.7, _gaps[^1].EndSeconds);
    }

    [Fact]
    public void A_connection_that_is_never_connected_is_a_warning_after_20_s()
    {
        Advance(19, Lost(from: 0));
        Assert.Null(_network.Warning);

        Advance(1, Lost(from: 0));

        Assert.NotNull(_network.Warning);
        Assert.Equal([new(0, 20, "network_lost")], _gaps);
    }

    [Fact]
    public void A_first_connection_that_takes_a_while_is_no_loss()
    {
        Advance(12, Lost(from: 0) with { WasLive = false });
        Advance(10, Live with { RestoredAt = 12_500 });

        Assert.Empty(_gaps);
        Assert.Null(_network.Warning);
    }

    [Fact]
    public void A_loss_before_the_capture_starts_with_the_recording()
    {
        Advance(20, Lost(from: -30));

        Assert.Equal([new(0, 20, "network_lost")], _gaps);
    }

    [Fact]
    public void A_connection_that_the_page_replaces_at_once_is_no_loss()
    {
        Advance(40, Live);
        Advance(1, Lost(from: 40));
        Advance(10, Live with { RestoredAt = 41_500 });

        Assert.Empty(_gaps);
    }

    [Fact]
    public void Nobody_else_is_nothing_to_lose()
    {
        Advance(40, Live, others: 0);
        Advance(100, Lost(from: 39.5) with { HasFailed = true }, others: 0);

        Assert.Empty(_gaps);
        Assert.Null(_network.Warning);
        Assert.False(_network.IsInDoubt);
    }

    [Fact]
    public void Connections_that_all_others_close_as_they_leave_are_no_loss()
    {
        Advance(40, Live);
        Advance(9, Lost(from: 39.5));
        Advance(60, Lost(from: 39.5) with { ClosedByPeer = 1 }, others: 0);

        Assert.Empty(_gaps);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(null)]
    public void A_page_that_counts_nobody_during_a_loss_is_not_believed(int? others)
    {
        Advance(40, Live);
        Advance(3, Lost(from: 39.5), others);

        Advance(50, Lost(from: 39.5), others: 0);

        Assert.NotNull(_network.Warning);
        Assert.True(_network.IsInDoubt);
        Advance(1, Live with { RestoredAt = 93_200 }, others: 0);
        Assert.False(_network.IsInDoubt);
        Assert.Equal((39.5, 93.2), (_gaps[0].StartSeconds, _gaps[^1].EndSeconds));
    }

    [Fact]
    public void After_the_last_rejoin_a_count_of_nobody_is_believed_after_a_minute()
    {
        while (_budget.HasLossLeft)
        {
            Advance(60, Lost(from: _seconds));
            Assert.True(_network.IsRejoinDue);
            _budget.Take(EndReason.NetworkLost);
            _network.Reset();
            _page = $"{_seconds}";
        }

        Advance(1, Lost(from: _seconds));
        Advance(58, Lost(from: _seconds), others: 0);
        Assert.True(_network.IsInDoubt);

        Advance(3, Lost(from: _seconds), others: 0);
        Assert.False(_network.IsInDoubt);
    }

    [Fact]
    public void A_loss_during_which_the_capture_disappears_is_measured_by_the_clock()
    {
        Advance(40, Live);
        Advance(5, Lost(from: 39.5));
        var frozen = Progress(Lost(from: 39.5));

        for (var second = 1; second <= 54; second++)
            _network.Observe(frozen, others: null, Start.AddSeconds(_seconds + second));

        Assert.NotNull(_network.Warning);
        Assert.False(_network.IsRejoinDue);
        _network.Observe(frozen, others: null, Start.AddSeconds(_seconds + 55));
        Assert.True(_network.IsRejoinDue);
        _network.Observe(frozen, others: null, Start.AddSeconds(_seconds + 595));
        Assert.True(_network.IsHopeless);
    }

    [Theory]
    [InlineData(2, 5)]
    [InlineData(2, 30)]
    [InlineData(null, 5)]
    [InlineData(null, 30)]
    public void A_page_that_replaces_its_dead_connection_continues_the_loss(int? others, int pause)
    {
        Advance(40, Live, others);
        Advance(10, Lost(from: 39.5), others);
        Advance(6, Lost(from: 39.5) with { HasFailed = true }, others);
        // The page closes the connection and counts nobody. The capture forgets a connection that was closed 10 s before.
        var count = others is null ? (int?)null : 0;
        Advance(Math.Min(pause, 10), Closed(from: 39.5), count);
        Advance(Math.Max(0, pause - 10), Closed(from: null), count);
        Assert.True(_network.IsInDoubt);
        Advance(20, pause <= 10 ? Lost(from: 39.5) : Lost(from: _seconds), count);

        Assert.True(_network.IsInDoubt);
        Assert.Equal(_seconds - 39.5 >= 60, _network.IsRejoinDue);
        Advance(1, Live with { RestoredAt = (long)(_seconds * 1000) + 700 }, count);
        Assert.Null(_network.Warning);
        Assert.Equal((39.5, Math.Round(_seconds - 0.3, 3)), (_gaps[0].StartSeconds, Math.Round(_gaps[^1].EndSeconds, 3)));
        Assert.All(_gaps.Zip(_gaps.Skip(1)), pair => Assert.Equal(pair.First.EndSeconds, pair.Second.StartSeconds));
    }

    [Fact]
    public void A_page_that_replaces_its_dead_connection_over_and_over_is_joined_again_after_a_minute()
    {
        Advance(40, Live, others: null);
        for (var i = 0; i < 3; i++)
        {
            Advance(15, Lost(from: 40) with { HasFailed = i > 0 }, others: null);
            Advance(1, Closed(from: 40), others: null);
        }

        Assert.False(_network.IsRejoinDue);
        Advance(12, Lost(from: 40), others: null);
        Assert.True(_network.IsRejoinDue);
        Assert.StartsWith("No audio can arrive for 60 s", _network.Warning, StringComparison.Ordinal);
    }

    [Fact]
    public void A_page_that_closes_the_connections_of_participants_who_left_loses_nothing()
    {
        Advance(40, Live, others: null);
        Advance(3, Lost(from: 39.5) with { ClosedByPeer = 1 }, others: null);
        Advance(9, Closed(from: 39.5), others: null);
        Assert.False(_network.IsInDoubt);

        Advance(60, Closed(from: null), others: null);

        Assert.Empty(_gaps);
        Assert.Null(_network.Warning);
    }

    [Fact]
    public void A_page_that_is_joined_again_without_a_connection_keeps_the_warning()
    {
        Advance(60, Lost(from: 0));
        _network.Reset();
        _page = "second";
        Advance(2, Closed(from: null));

        Advance(1, Lost(from: _seconds));
        Assert.NotNull(_network.Warning);
        Advance(1, Live with { RestoredAt = (long)(_seconds * 1000) + 500 });
        Assert.Null(_network.Warning);

        Advance(10, Lost(from: _seconds));
        Assert.Null(_network.Warning);
    }

    [Fact]
    public void A_capture_that_stops_during_a_loss_leaves_no_silence_outside_the_gap()
    {
        Advance(60, Lost(from: 0));
        _seconds++;

        Assert.Equal(new(60, 61, "network_lost"), _network.CompleteLoss(Progress(Lost(from: 0))));
        Assert.Null(_network.CompleteLoss(Progress(Lost(from: 0))));
    }

    [Fact]
    public void Connections_that_the_others_close_are_no_loss_if_the_page_shows_no_count()
    {
        Advance(40, Live, others: null);
        Advance(120, Lost(from: 39.5) with { ClosedByPeer = 1 }, others: null);

        Assert.Empty(_gaps);
        Assert.False(_network.IsInDoubt);
    }

    [Fact]
    public void Connections_that_the_others_close_and_replace_are_no_loss()
    {
        Advance(40, Live);
        Advance(15, Lost(from: 39.5) with { ClosedByPeer = 1 });
        Advance(10, Live with { RestoredAt = 55_000 });

        Assert.Empty(_gaps);
    }

    [Fact]
    public void Connections_that_the_others_close_while_they_remain_in_the_call_are_a_loss_after_20_s()
    {
        Advance(40, Live);
        Advance(21, Lost(from: 39.5) with { ClosedByPeer = 1 });

        Assert.NotNull(_network.Warning);
        Assert.Equal(39.5, _gaps[0].StartSeconds);
    }

    [Fact]
    public void The_bot_joins_again_after_each_minute_of_loss_up_to_three_times()
    {
        var rejoins = new List<int>();
        for (var i = 0; i < 400; i++)
        {
            Advance(1, Lost(from: rejoins.Count == 0 ? 0 : rejoins[^1]));
            if (!_network.IsRejoinDue || _budget.Take(EndReason.NetworkLost) is null)
                continue;
            rejoins.Add(_seconds);
            _network.Reset();
            _page = $"{_seconds}";
        }

        Assert.Equal([60, 120, 180], rejoins);
    }

    [Fact]
    public void After_joining_again_the_report_of_the_old_page_does_not_count()
    {
        Advance(60, Lost(from: 0));
        _network.Reset();

        Advance(5, Lost(from: 0));

        Assert.False(_network.IsInDoubt);

        _page = "second";
        Advance(1, Lost(from: 60));
        Assert.True(_network.IsInDoubt);
    }

    [Theory]
    [InlineData(2, true)]
    [InlineData(5, false)]
    public void A_page_that_counts_nobody_just_before_the_loss_is_reported_is_not_believed(int earlier, bool isInDoubt)
    {
        Advance(40, Live);
        Advance(earlier, Live, others: 0);
        Advance(12, Lost(from: 39.5), others: 0);

        Assert.Equal(isInDoubt, _network.IsInDoubt);
    }

    [Theory]
    [InlineData(true, 0, 3, 9.5)]
    [InlineData(true, 0, null, 9.5)]
    [InlineData(false, 0, 3, 0)]
    [InlineData(true, 1, null, 0)]
    [InlineData(true, 0, 0, 9.5)]
    public void A_loss_that_lasts_until_the_end_is_a_gap(bool wasLive, int closedByPeer, int? others, double lost)
    {
        Advance(40, Live);
        Advance(9, Lost(from: 39.5) with { WasLive = wasLive, ClosedByPeer = closedByPeer }, others);
        Assert.Empty(_gaps);

        var rest = _network.CompleteLoss(Progress(Live));

        Assert.Equal(lost, rest is { } gap ? gap.EndSeconds - gap.StartSeconds : 0);
    }

    [Fact]
    public void A_network_that_stays_lost_is_hopeless_after_ten_minutes()
    {
        Advance(599, Lost(from: 0));
        Assert.False(_network.IsHopeless);

        Advance(1, Lost(from: 0));
        Assert.True(_network.IsHopeless);
        Assert.True(_network.IsInDoubt);
        Assert.NotNull(_network.Warning);
    }

    private static NetworkState Lost(double from) => new(Expected: 1, Live: 0, WasLive: true, LostAt: (long)(from * 1000));

    /// <summary>The page has closed its connections, of which none was connected.</summary>
    private static NetworkState Closed(double? from) => new(Expected: 0, Live: 0, WasLive: true, LostAt: (long?)(from * 1000));

    private RecordingProgress Progress(NetworkState network) =>
        RecordingProgress.None with { Packets = _seconds * ChunkFormat.PacketsPerSecond, Network = network, Page = _page };

    private void Advance(int seconds, NetworkState network, int? others = 3)
    {
        for (var i = 0; i < seconds; i++)
        {
            _seconds++;
            if (_network.Observe(Progress(network), others, Start.AddSeconds(_seconds)) is { } gap)
                _gaps.Add(gap);
        }
    }
}
