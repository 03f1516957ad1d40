using NewarBots.Contract;
using NewarBots.Recorder.Recording;

namespace NewarBots.Tests.Recording;

public sealed class AudioMonitorTests
{
    private static readonly DateTimeOffset Start = new(2026, 7, 1, 12, 0, 0, TimeSpan.Zero);

    /// <summary>A second of a voice that is received, captured and recorded.</summary>
    private static Second Voice { get; } = new(Bytes: 4000, Received: 0.01, Captured: 1, Energy: 0.001, AudiblePackets: 40);

    /// <summary>A second of a voice that is received but not captured.</summary>
    private static Second Lost { get; } = new(Bytes: 4000, Received: 0.01);

    private static Second Quiet { get; } = new(Bytes: 20, Captured: 1);

    private readonly AudioMonitor _monitor = new();
    private readonly List<(int Second, AudioRemedy Remedy)> _remedies = [];
    private readonly List<Gap> _gaps = [];
    private RecordingProgress _progress = RecordingProgress.None with
    {
        Reception = new(Connections: 1, Tracks: 1, ReceivedBytes: 0),
        TrackStats = [new(Track: 1, 0, 0, 0, 0)],
    };
    private int? _others;
    private int _seconds;

    [Fact]
    public void A_recorded_voice_needs_no_remedy()
    {
        Advance(120, Voice);

        Assert.Empty(_remedies);
        Assert.Empty(_gaps);
    }

    [Fact]
    public void After_20_s_rehooks_the_tracks_then_restarts_the_capture_then_warns()
    {
        Advance(5, Voice);
        Advance(130, Lost);

        Assert.Equal(
            [(25, AudioRemedy.RehookTracks), (35, AudioRemedy.RestartCapture), (45, AudioRemedy.Warn), (105, AudioRemedy.RehookTracks)],
            _remedies);
        Assert.Contains("Track 1 is received but not recorded: in 130 s, 520000 bytes", _monitor.Warning, StringComparison.Ordinal);
        Assert.Equal(5, _gaps[0].StartSeconds);
        Assert.Equal(135, _gaps[^1].EndSeconds);
        Assert.All(_gaps.Zip(_gaps.Skip(1)), pair => Assert.Equal(pair.First.EndSeconds, pair.Second.StartSeconds));
        Assert.All(_gaps, gap => Assert.Equal("not_heard", gap.Cause));
    }

    [Theory]
    [InlineData(4, 0)]
    [InlineData(6, 6)]
    [InlineData(19, 19)]
    [InlineData(50, 50)]
    public void A_fault_that_lasts_until_the_end_is_a_gap_from_its_beginning(int seconds, double lost)
    {
        Advance(5, Voice);
        Advance(seconds, Lost);
        if (_monitor.CompleteLoss(_progress) is { } rest)
            _gaps.Add(rest);

        Assert.Equal(lost, _gaps.Sum(gap => gap.EndSeconds - gap.StartSeconds));
        Assert.All(_gaps.Take(1), gap => Assert.Equal(5, gap.StartSeconds));
    }

    [Fact]
    public void The_warning_clears_when_audio_is_recorded_again_and_the_next_fault_starts_over()
    {
        Advance(60, Lost);
        Advance(5, Voice);

        Assert.Null(_monitor.Warning);
        var gaps = _gaps.Count;
        Advance(20, Lost);
        Assert.Equal((85, AudioRemedy.RehookTracks), _remedies[^1]);
        Assert.Equal(65, _gaps[gaps].StartSeconds);
    }

    [Fact]
    public void Silent_muted_and_nearly_idle_tracks_are_no_fault()
    {
        Advance(60, Quiet);
        Advance(60, new(Bytes: 0));
        Advance(60, new(Bytes: 40));

        Assert.Empty(_remedies);
    }

    [Fact]
    public void Bytes_alone_count_as_sound_if_nothing_is_captured()
    {
        Advance(25, new(Bytes: 4000));

        Assert.Equal([(20, AudioRemedy.RehookTracks)], _remedies);
    }

    [Fact]
    public void A_voice_captured_as_silence_is_a_fault()
    {
        Advance(25, Lost with { Captured = 1 });

        Assert.Equal([(20, AudioRemedy.RehookTracks)], _remedies);
    }

    [Fact]
    public void A_captured_voice_missing_from_the_mix_is_a_fault()
    {
        Advance(25, Voice with { AudiblePackets = 0 });

        Assert.Equal([(20, AudioRemedy.RehookTracks)], _remedies);
    }

    [Fact]
    public void A_quiet_voice_is_no_fault()
    {
        // -40 dBFS, with peaks 12 dB above.
        Advance(60, Voice with { Received = 0.0016, Energy = 0.0001 });

        Assert.Empty(_remedies);
    }

    [Fact]
    public void A_single_missed_word_is_no_fault()
    {
        Advance(2, Lost);
        Advance(60, Quiet);

        Assert.Empty(_remedies);
    }

    [Fact]
    public void A_voice_recorded_a_second_late_is_no_fault()
    {
        for (var i = 0; i < 30; i++)
        {
            Advance(1, Lost);
            Advance(1, Quiet with { Energy = 0.001, AudiblePackets = 40 });
        }

        Assert.Empty(_remedies);
    }

    [Fact]
    public void A_fault_ends_with_its_track()
    {
        Advance(30, Lost);
        _progress = _progress with { TrackStats = [] };

        Observe();
        Advance(60, Voice);

        Assert.Equal([(20, AudioRemedy.RehookTracks), (30, AudioRemedy.RestartCapture)], _remedies);
        Assert.Equal((0, 30), (_gaps[0].StartSeconds, _gaps[^1].EndSeconds));
    }

    [Theory]
    [InlineData(4, 0)]
    [InlineData(12, 12)]
    public void A_track_that_ends_before_its_fault_is_certain_leaves_a_gap(int seconds, double lost)
    {
        Advance(5, Voice);
        Advance(seconds, Lost);
        _progress = _progress with { TrackStats = [] };
        Observe();
        Advance(60, Voice);

        Assert.Empty(_remedies);
        Assert.Equal(lost, _gaps.Sum(gap => gap.EndSeconds - gap.StartSeconds));
    }

    [Theory]
    [InlineData(4, 0)]
    [InlineData(14, 15)]
    public void A_fault_that_ends_by_itself_is_a_gap(int seconds, double lost)
    {
        Advance(5, Voice);
        Advance(seconds, Lost with { Captured = 1 });
        Advance(60, Voice);

        Assert.Empty(_remedies);
        // Until the second in which it is heard again.
        Assert.Equal(lost, _gaps.Sum(gap => gap.EndSeconds - gap.StartSeconds));
        Assert.All(_gaps, gap => Assert.Equal((5, "not_heard"), (gap.StartSeconds, gap.Cause)));
    }

    [Fact]
    public void Audio_that_a_page_reads_after_it_hung_is_no_gap()
    {
        Advance(5, Voice);
        _seconds += 9;
        Advance(1, new(Bytes: 40_000, Received: 0.1));
        Advance(1, new(Bytes: 4000, Received: 0.01, Captured: 11, Energy: 0.011, AudiblePackets: 440));

        Assert.Empty(_gaps);
    }

    [Theory]
    [InlineData(2, 4000, 12)]
    [InlineData(null, 4000, 11)]
    [InlineData(2, 0, 0)]
    [InlineData(null, 0, 0)]
    public void Audio_that_no_track_captures_until_the_end_is_a_gap_if_any_was_received(int? others, int bytesPerSecond, double lost)
    {
        _others = others;
        for (var i = 0; i < 13; i++)
        {
            _progress = _progress with { At = Start.AddSeconds(_seconds + 1), Packets = _progress.Packets + 50, Reception = new(1, Tracks: 0, i * bytesPerSecond) };
            Observe();
        }

        var gap = _monitor.CompleteLoss(_progress);

        Assert.Empty(_gaps);
        Assert.Equal(lost, gap is null ? 0 : gap.EndSeconds - gap.StartSeconds);
    }

    [Fact]
    public void A_page_that_delivers_nothing_gets_another_encoder_and_adds_no_gap()
    {
        Advance(5, Voice);
        for (var i = 0; i < 35; i++)
            Observe();

        Assert.Equal([(25, AudioRemedy.RestartCapture), (35, AudioRemedy.Warn)], _remedies);
        Assert.Contains("delivered no audio", _monitor.Warning, StringComparison.Ordinal);
        Assert.Empty(_gaps);
        Advance(1, Voice);
        Assert.Null(_monitor.Warning);
    }

    [Fact]
    public void Participants_without_any_track_cause_a_warning_and_a_gap()
    {
        Advance(5, Voice);
        _others = 2;
        _progress = _progress with { Reception = _progress.Reception with { Tracks = 0 } };
        Advance(60, new());

        Assert.Equal([(26, AudioRemedy.Warn)], _remedies);
        Assert.Equal("2 other participants are in the call, but none of the 1 connections has an audio track.", _monitor.Warning);
        Assert.Equal((6, 65), (_gaps[0].StartSeconds, _gaps[^1].EndSeconds));
        Assert.All(_gaps.Zip(_gaps.Skip(1)), pair => Assert.Equal(pair.First.EndSeconds, pair.Second.StartSeconds));

        _others = 0;
        Advance(1, new());
        Assert.Null(_monitor.Warning);
        Assert.False(_monitor.IsInDoubt);
    }

    [Fact]
    public void A_voice_that_nothing_brings_back_makes_the_recording_deaf_while_it_sounds()
    {
        Advance(5, Voice);
        Advance(39, Lost);
        Assert.False(_monitor.IsDeaf);

        Advance(60, Lost);
        Assert.True(_monitor.IsDeaf);

        Advance(19, Quiet);
        Assert.True(_monitor.IsDeaf);
        Advance(1, Quiet);
        Assert.False(_monitor.IsDeaf);
        Assert.NotNull(_monitor.Warning);
    }

    [Fact]
    public void One_lost_track_beside_others_that_are_recorded_does_not_make_the_recording_deaf()
    {
        AdvanceWith(new(Track: 2, 4000, 0.01, CapturedSeconds: 1, CapturedEnergy: 0.001), 120, Lost with { AudiblePackets = 40 });

        Assert.Contains("Track 1 is received but not recorded", _monitor.Warning, StringComparison.Ordinal);
        Assert.False(_monitor.IsDeaf);
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(4000, true)]
    public void Participants_without_any_track_make_the_recording_deaf_only_if_audio_is_received(int bytesPerSecond, bool isDeaf)
    {
        _others = 2;
        for (var i = 1; i <= 60; i++)
        {
            _progress = _progress with { At = Start.AddSeconds(i), Packets = i * 50, Reception = new(1, Tracks: 0, i * bytesPerSecond) };
            Observe();
        }

        Assert.NotNull(_monitor.Warning);
        Assert.Equal(isDeaf, _monitor.IsDeaf);
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(null, true)]
    public void A_page_that_delivers_nothing_is_deaf_unless_it_shows_nobody(int? others, bool isDeaf)
    {
        Advance(5, Voice);
        _others = others;
        for (var i = 0; i < 35; i++)
            Observe();

        Assert.Equal(isDeaf, _monitor.IsDeaf);
    }

    [Fact]
    public void Connections_without_statistics_cause_a_warning()
    {
        Advance(5, Voice);
        var stats = _progress.TrackStats;
        for (var i = 0; i < 60; i++)
        {
            _progress = _progress with { At = Start.AddSeconds(_seconds + 1), Packets = _progress.Packets + 50, TrackStats = stats };
            Observe();
        }

        Assert.Equal([(25, AudioRemedy.Warn)], _remedies);
        Assert.Contains("have reported no statistics for 60 s", _monitor.Warning, StringComparison.Ordinal);
        Assert.Empty(_gaps);
        Advance(1, Voice);
        Assert.Null(_monitor.Warning);
    }

    [Fact]
    public void A_connection_without_statistics_does_not_hide_faults_of_others()
    {
        AdvanceWith(WithoutStats, 5, Voice);
        AdvanceWith(WithoutStats, 21, Lost);
        Assert.Equal([(21, AudioRemedy.Warn), (25, AudioRemedy.RehookTracks)], _remedies);
        Assert.Contains("Track 1 is received but not recorded", _monitor.Warning, StringComparison.Ordinal);
        Assert.Contains("The connection of track 2 has reported no statistics for 25 s", _monitor.Warning, StringComparison.Ordinal);

        AdvanceWith(WithoutStats with { AreMissing = false }, 2, Voice);
        Assert.Null(_monitor.Warning);
    }

    [Fact]
    public void Recorded_audio_needs_no_statistics()
    {
        AdvanceWith(WithoutStats with { CapturedEnergy = 0.001 }, 120, Voice);

        Assert.Empty(_remedies);
    }

    [Fact]
    public void The_timeouts_start_over_after_the_page_did_not_show_the_call()
    {
        Advance(5, Voice);
        _seconds += 60;
        _progress = _progress with { At = Start.AddSeconds(_seconds) };
        Observe();

        Assert.Empty(_remedies);
        Assert.Null(_monitor.Warning);
    }

    [Fact]
    public void Silence_is_in_doubt_before_a_fault_is_certain()
    {
        Advance(5, Voice);
        Assert.False(_monitor.IsInDoubt);
        Advance(6, Lost);
        Assert.True(_monitor.IsInDoubt);
        Advance(2, Voice);
        Assert.False(_monitor.IsInDoubt);
    }

    /// <summary>A second of track 2, whose connection does not respond.</summary>
    private static TrackStats WithoutStats { get; } = new(Track: 2, 0, 0, CapturedSeconds: 1, CapturedEnergy: 0, AreMissing: true);

    private void AdvanceWith(TrackStats other, int seconds, Second each)
    {
        for (var i = 0; i < seconds; i++)
        {
            var before = _progress.TrackStats.FirstOrDefault(stats => stats.Track == other.Track);
            _progress = _progress with
            {
                At = Start.AddSeconds(_seconds + 1),
                Packets = _progress.Packets + 50,
                AudiblePackets = _progress.AudiblePackets + each.AudiblePackets,
                TrackStats =
                [
                    each.AddTo(_progress.TrackStats[0]),
                    other with { CapturedSeconds = before.CapturedSeconds + other.CapturedSeconds, CapturedEnergy = before.CapturedEnergy + other.CapturedEnergy },
                ],
            };
            Observe();
        }
    }

    private void Advance(int seconds, Second each)
    {
        for (var i = 0; i < seconds; i++)
        {
            _progress = _progress with
            {
                At = Start.AddSeconds(_seconds + 1),
                Packets = _progress.Packets + 50,
                AudiblePackets = _progress.AudiblePackets + each.AudiblePackets,
                TrackStats = [.. (_progress.TrackStats is [] ? [new TrackStats(Track: 2, 0, 0, 0, 0)] : _progress.TrackStats).Select(each.AddTo)],
            };
            // The baseline for the comparison.
            if (_seconds == 0 && i == 0)
                _monitor.Observe(_progress with { TrackStats = [new(1, 0, 0, 0, 0)], Packets = 0, AudiblePackets = 0 }, _others, Start);
            Observe();
        }
    }

    private void Observe()
    {
        _seconds++;
        var (remedy, gap) = _monitor.Observe(_progress, _others, Start.AddSeconds(_seconds));
        if (remedy is not AudioRemedy.None)
            _remedies.Add((_seconds, remedy));
        if (gap is not null)
            _gaps.Add(gap);
    }

    /// <param name="Bytes">Bytes received.</param>
    /// <param name="Received">Energy that the connection reports.</param>
    /// <param name="Captured">Seconds that the page captured.</param>
    /// <param name="Energy">Energy of the captured audio.</param>
    /// <param name="AudiblePackets">Audible packets in the mix.</param>
    private readonly record struct Second(long Bytes, double Received = 0, double Captured = 0, double Energy = 0, int AudiblePackets = 0)
    {
        public TrackStats AddTo(TrackStats stats) => stats with
        {
            ReceivedBytes = stats.ReceivedBytes + Bytes,
            ReceivedEnergy = stats.ReceivedEnergy + Received,
            CapturedSeconds = stats.CapturedSeconds + Captured,
            CapturedEnergy = stats.CapturedEnergy + Energy,
        };
    }
}
