using NewarBots.Contract;
using NewarBots.Recorder.Recording;

namespace NewarBots.Tests.Recording;

public sealed class HearingTests
{
    private static readonly DateTimeOffset Start = new(2026, 7, 1, 12, 0, 0, TimeSpan.Zero);

    /// <summary>A second of a voice: a connection tells of it, the page delivers it, and it is recorded.</summary>
    private static Second Heard { get; } = new(Bytes: 4000, Received: 0.01, Delivered: 1, Loudness: 0.001, AudiblePackets: 40);

    /// <summary>A second of a voice that the page does not deliver at all.</summary>
    private static Second Deaf { get; } = new(Bytes: 4000, Received: 0.01);

    private static Second Quiet { get; } = new(Bytes: 20, Delivered: 1);

    private readonly Hearing _hearing = new();
    private readonly List<(int Second, HearingRemedy Remedy)> _remedies = [];
    private readonly List<Gap> _gaps = [];
    private RecordingProgress _progress = RecordingProgress.None with
    {
        Reception = new(Connections: 1, Tracks: 1, ReceivedBytes: 0),
        Sounds = [new(Track: 1, 0, 0, 0, 0)],
    };
    private int? _others;
    private int _seconds;

    [Fact]
    public void A_voice_that_is_heard_needs_no_remedy()
    {
        Live(120, Heard);

        Assert.Empty(_remedies);
        Assert.Empty(_gaps);
    }

    [Fact]
    public void After_20_s_tracks_are_hooked_again_then_the_encoder_goes_and_then_it_is_said_loudly()
    {
        Live(5, Heard);
        Live(130, Deaf);

        Assert.Equal(
            [(25, HearingRemedy.HearAgain), (35, HearingRemedy.BeginAgain), (45, HearingRemedy.Alarm), (105, HearingRemedy.HearAgain)],
            _remedies);
        Assert.Contains("Track 1 is received and not heard: for 130 s 520000 bytes", _hearing.Warning, StringComparison.Ordinal);
        Assert.Equal(5, _gaps[0].StartSeconds);
        Assert.Equal(135, _gaps[^1].EndSeconds);
        Assert.All(_gaps.Zip(_gaps.Skip(1)), pair => Assert.Equal(pair.First.EndSeconds, pair.Second.StartSeconds));
        Assert.All(_gaps, gap => Assert.Equal("not_heard", gap.Cause));
    }

    [Fact]
    public void When_it_is_heard_again_the_warning_is_over_and_the_next_deafness_begins_anew()
    {
        Live(60, Deaf);
        Live(5, Heard);

        Assert.Null(_hearing.Warning);
        var gaps = _gaps.Count;
        Live(20, Deaf);
        Assert.Equal((85, HearingRemedy.HearAgain), _remedies[^1]);
        Assert.Equal(65, _gaps[gaps].StartSeconds);
    }

    [Fact]
    public void Silence_mute_and_a_line_that_sends_next_to_nothing_are_no_deafness()
    {
        Live(60, Quiet);
        Live(60, new(Bytes: 0));
        Live(60, new(Bytes: 40));

        Assert.Empty(_remedies);
    }

    [Fact]
    public void Bytes_alone_count_where_nothing_is_delivered_at_all_since_nobody_plays_what_would_be_loud()
    {
        Live(25, new(Bytes: 4000));

        Assert.Equal([(20, HearingRemedy.HearAgain)], _remedies);
    }

    [Fact]
    public void Silence_is_delivered_in_place_of_a_voice()
    {
        Live(25, Deaf with { Delivered = 1 });

        Assert.Equal([(20, HearingRemedy.HearAgain)], _remedies);
    }

    [Fact]
    public void A_voice_is_delivered_and_the_mix_stays_silent()
    {
        Live(25, Heard with { AudiblePackets = 0 });

        Assert.Equal([(20, HearingRemedy.HearAgain)], _remedies);
    }

    [Fact]
    public void A_quiet_voice_is_heard()
    {
        // -40 dBFS, and its peaks 12 dB above.
        Live(60, Heard with { Received = 0.0016, Loudness = 0.0001 });

        Assert.Empty(_remedies);
    }

    [Fact]
    public void One_word_that_was_missed_is_none()
    {
        Live(2, Deaf);
        Live(60, Quiet);

        Assert.Empty(_remedies);
    }

    [Fact]
    public void A_voice_that_is_recorded_a_second_after_it_came_in_is_heard()
    {
        for (var i = 0; i < 30; i++)
        {
            Live(1, Deaf);
            Live(1, Quiet with { Loudness = 0.001, AudiblePackets = 40 });
        }

        Assert.Empty(_remedies);
    }

    [Fact]
    public void A_track_that_ends_takes_its_deafness_with_it()
    {
        Live(30, Deaf);
        _progress = _progress with { Sounds = [] };

        Observe();
        Live(60, Heard);

        Assert.Equal([(20, HearingRemedy.HearAgain), (30, HearingRemedy.BeginAgain)], _remedies);
    }

    [Fact]
    public void A_page_that_hands_nothing_over_gets_another_encoder_and_makes_no_gap_of_its_own()
    {
        Live(5, Heard);
        for (var i = 0; i < 35; i++)
            Observe();

        Assert.Equal([(25, HearingRemedy.BeginAgain), (35, HearingRemedy.Alarm)], _remedies);
        Assert.Contains("handed over no audio", _hearing.Warning, StringComparison.Ordinal);
        Assert.Empty(_gaps);
        Live(1, Heard);
        Assert.Null(_hearing.Warning);
    }

    [Fact]
    public void Others_whom_no_track_carries_are_a_loud_gap_for_which_there_is_no_remedy()
    {
        Live(5, Heard);
        _others = 2;
        _progress = _progress with { Reception = _progress.Reception with { Tracks = 0 } };
        Live(60, new());

        Assert.Equal([(26, HearingRemedy.Alarm)], _remedies);
        Assert.Equal("2 others are in the call, and none of 1 connections has an audio track.", _hearing.Warning);
        Assert.Equal((6, 65), (_gaps[0].StartSeconds, _gaps[^1].EndSeconds));
        Assert.All(_gaps.Zip(_gaps.Skip(1)), pair => Assert.Equal(pair.First.EndSeconds, pair.Second.StartSeconds));

        _others = 0;
        Live(1, new());
        Assert.Null(_hearing.Warning);
        Assert.False(_hearing.IsInDoubt);
    }

    [Fact]
    public void Connections_that_tell_nothing_any_more_are_said_loudly()
    {
        Live(5, Heard);
        var told = _progress.Sounds;
        for (var i = 0; i < 60; i++)
        {
            _progress = _progress with { At = Start.AddSeconds(_seconds + 1), Packets = _progress.Packets + 50, Sounds = told };
            Observe();
        }

        Assert.Equal([(25, HearingRemedy.Alarm)], _remedies);
        Assert.Contains("have not told for 60 s", _hearing.Warning, StringComparison.Ordinal);
        Assert.Empty(_gaps);
        Live(1, Heard);
        Assert.Null(_hearing.Warning);
    }

    [Fact]
    public void One_connection_that_tells_nothing_hides_none_of_the_others()
    {
        LiveBeside(Untold, 5, Heard);
        LiveBeside(Untold, 21, Deaf);
        Assert.Equal([(21, HearingRemedy.Alarm), (25, HearingRemedy.HearAgain)], _remedies);
        Assert.Contains("Track 1 is received and not heard", _hearing.Warning, StringComparison.Ordinal);
        Assert.Contains("The connection of track 2 has not told for 25 s", _hearing.Warning, StringComparison.Ordinal);

        LiveBeside(Untold with { IsUntold = false }, 2, Heard);
        Assert.Null(_hearing.Warning);
    }

    [Fact]
    public void What_is_heard_need_not_be_told()
    {
        LiveBeside(Untold with { HeardEnergy = 0.001 }, 120, Heard);

        Assert.Empty(_remedies);
    }

    [Fact]
    public void What_was_not_told_while_the_page_was_no_call_is_counted_anew_when_it_is_one_again()
    {
        Live(5, Heard);
        _seconds += 60;
        _progress = _progress with { At = Start.AddSeconds(_seconds) };
        Observe();

        Assert.Empty(_remedies);
        Assert.Null(_hearing.Warning);
    }

    [Fact]
    public void Before_it_is_surely_deaf_what_seems_to_be_silence_is_in_doubt()
    {
        Live(5, Heard);
        Assert.False(_hearing.IsInDoubt);
        Live(6, Deaf);
        Assert.True(_hearing.IsInDoubt);
        Live(2, Heard);
        Assert.False(_hearing.IsInDoubt);
    }

    /// <summary>A second of track 2 whose connection does not answer.</summary>
    private static TrackSound Untold { get; } = new(Track: 2, 0, 0, HeardSeconds: 1, HeardEnergy: 0, IsUntold: true);

    private void LiveBeside(TrackSound other, int seconds, Second each)
    {
        for (var i = 0; i < seconds; i++)
        {
            var before = _progress.Sounds.FirstOrDefault(sound => sound.Track == other.Track);
            _progress = _progress with
            {
                At = Start.AddSeconds(_seconds + 1),
                Packets = _progress.Packets + 50,
                AudiblePackets = _progress.AudiblePackets + each.AudiblePackets,
                Sounds =
                [
                    each.AddTo(_progress.Sounds[0]),
                    other with { HeardSeconds = before.HeardSeconds + other.HeardSeconds, HeardEnergy = before.HeardEnergy + other.HeardEnergy },
                ],
            };
            Observe();
        }
    }

    private void Live(int seconds, Second each)
    {
        for (var i = 0; i < seconds; i++)
        {
            _progress = _progress with
            {
                At = Start.AddSeconds(_seconds + 1),
                Packets = _progress.Packets + 50,
                AudiblePackets = _progress.AudiblePackets + each.AudiblePackets,
                Sounds = [.. (_progress.Sounds is [] ? [new TrackSound(Track: 2, 0, 0, 0, 0)] : _progress.Sounds).Select(each.AddTo)],
            };
            // The first one is what all others are compared with.
            if (_seconds == 0 && i == 0)
                _hearing.Observe(_progress with { Sounds = [new(1, 0, 0, 0, 0)], Packets = 0, AudiblePackets = 0 }, _others, Start);
            Observe();
        }
    }

    private void Observe()
    {
        _seconds++;
        var (remedy, gap) = _hearing.Observe(_progress, _others, Start.AddSeconds(_seconds));
        if (remedy is not HearingRemedy.None)
            _remedies.Add((_seconds, remedy));
        if (gap is not null)
            _gaps.Add(gap);
    }

    /// <param name="Bytes">Received.</param>
    /// <param name="Received">Energy that the connection tells of.</param>
    /// <param name="Delivered">Seconds that the page heard.</param>
    /// <param name="Loudness">Energy of those.</param>
    /// <param name="AudiblePackets">What came of it in the mix.</param>
    private readonly record struct Second(long Bytes, double Received = 0, double Delivered = 0, double Loudness = 0, int AudiblePackets = 0)
    {
        public TrackSound AddTo(TrackSound sound) => sound with
        {
            ReceivedBytes = sound.ReceivedBytes + Bytes,
            ReceivedEnergy = sound.ReceivedEnergy + Received,
            HeardSeconds = sound.HeardSeconds + Delivered,
            HeardEnergy = sound.HeardEnergy + Loudness,
        };
    }
}
