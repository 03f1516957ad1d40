using Microsoft.Extensions.Logging.Abstractions;
using NewarBots.Contract;
using NewarBots.Recorder.Leaving;
using NewarBots.Recorder.Reporting;
using NewarBots.Tests.Recording;

namespace NewarBots.Tests.Leaving;

public sealed class WaitingRoomGapsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("newarbots-waiting-").FullName;

    [Fact]
    public void A_wait_is_a_gap_since_the_call_was_last_seen_and_is_written_in_parts()
    {
        using (var journal = new SessionJournal(_folder, NullLogger<SessionJournal>.Instance))
        {
            var gaps = new WaitingRoomGaps(journal, NullLogger<WaitingRoomGaps>.Instance);
            for (var second = 1; second <= 60; second++)
                gaps.Observe(isShown: second is > 10 and < 45, isWaiting: second is > 15 and < 45, second);
        }

        Assert.Equal(
            [new Gap(10, 20, GapCause.WaitingRoom), new(20, 30, GapCause.WaitingRoom), new(30, 40, GapCause.WaitingRoom), new(40, 45, GapCause.WaitingRoom)],
            new RecorderFolder(_folder).Gaps());
    }

    [Fact]
    public void A_text_of_the_waiting_room_while_audio_is_received_is_no_gap()
    {
        using (var journal = new SessionJournal(_folder, NullLogger<SessionJournal>.Instance))
        {
            var gaps = new WaitingRoomGaps(journal, NullLogger<WaitingRoomGaps>.Instance);
            for (var second = 1; second <= 60; second++)
                gaps.Observe(isShown: second is > 10 and < 45, isWaiting: false, second);
        }

        Assert.Empty(new RecorderFolder(_folder).Gaps());
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
