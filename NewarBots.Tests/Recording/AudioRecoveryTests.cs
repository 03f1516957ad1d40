using Microsoft.Extensions.Logging.Abstractions;
using NewarBots.Contract;
using NewarBots.Recorder.Recording;
using NewarBots.Recorder.Reporting;

namespace NewarBots.Tests.Recording;

public sealed class AudioRecoveryTests : IDisposable
{
    private static readonly DateTimeOffset Start = new(2026, 7, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("newarbots-recovery-");
    private readonly SessionJournal _journal;
    private readonly RejoinBudget _budget = new();
    private readonly AudioRecovery _audio;
    private readonly UnchangedPage _page = new();
    private int _seconds;

    public AudioRecoveryTests()
    {
        _journal = new(_folder.FullName, NullLogger<SessionJournal>.Instance);
        _audio = new(_journal, _budget, NullLogger<AudioRecovery>.Instance);
    }

    public void Dispose()
    {
        _journal.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Audio_that_stays_away_although_it_is_received_is_a_cause_to_join_again_after_a_minute()
    {
        // After 20 s, 10 s and 10 s without effect of the remedies, the bot warns.
        await AdvanceAsync(99, audiblePackets: 0);
        Assert.NotNull(_audio.Warning);
        Assert.Null(_audio.CauseToLeave);

        await AdvanceAsync(2, audiblePackets: 0);
        Assert.Equal(EndReason.NoAudio, _audio.CauseToLeave);

        while (_budget.Take(EndReason.NoAudio) is not null)
            continue;
        Assert.Null(_audio.CauseToLeave);
    }

    [Fact]
    public async Task A_lost_track_is_no_cause_to_leave_while_others_are_recorded()
    {
        await AdvanceAsync(300, audiblePackets: 40);

        Assert.NotNull(_audio.Warning);
        Assert.Null(_audio.CauseToLeave);
    }

    [Fact]
    public void A_network_that_stays_lost_is_a_cause_to_join_again_and_after_the_last_time_to_leave()
    {
        CheckNetwork(60);
        Assert.Equal(EndReason.NetworkLost, _audio.CauseToLeave);

        while (_budget.Take(EndReason.NetworkLost) is not null)
            continue;
        Assert.Null(_audio.CauseToLeave);
        CheckNetwork(540);
        Assert.Equal(EndReason.NetworkLost, _audio.CauseToLeave);
    }

    private void CheckNetwork(int seconds)
    {
        for (var i = 0; i < seconds; i++)
        {
            _seconds++;
            var progress = RecordingProgress.None with { Packets = _seconds * 50, Network = new(Expected: 1, Live: 0, WasLive: true, LostAt: 0), Page = "one" };
            _audio.CheckNetwork(_page, progress, others: 3, Start.AddSeconds(_seconds));
        }
    }

    /// <summary>Seconds in which a track is received and not captured, with the audible packets of other tracks in each.</summary>
    private async Task AdvanceAsync(int seconds, int audiblePackets)
    {
        for (var i = 0; i < seconds; i++)
        {
            var progress = RecordingProgress.None with
            {
                At = Start.AddSeconds(_seconds),
                Packets = _seconds * 50,
                AudiblePackets = _seconds * audiblePackets,
                Reception = new(Connections: 1, Tracks: 1, ReceivedBytes: _seconds * 4000),
                TrackStats = [new(Track: 1, _seconds * 4000, _seconds * 0.01, 0, 0)],
            };
            await _audio.CheckAsync(_page, progress, others: 4, Start.AddSeconds(_seconds));
            _seconds++;
        }
    }

    /// <summary>A page on which no remedy has an effect.</summary>
    private sealed class UnchangedPage : ICapturedPage
    {
        public Task RehookTracksAsync() => Task.CompletedTask;

        public Task RestartCaptureAsync() => Task.CompletedTask;
    }
}
