using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Events;
using NewarBots.Manager.Webhooks;
using NewarBots.Recorder.Leaving;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Bots;

public sealed class CallPeopleTests
{
    private static readonly SessionId Id = SampleBots.In(BotStatus.Recording).Id;

    [Fact]
    public void Participant_who_leaves_and_comes_back_keeps_the_first_time()
    {
        var joined = CallPeople.None.With(Comes("Ana", 1));
        var left = joined.With(Goes("Ana", 5));
        var back = left.With(Comes("Ana", 9));

        Assert.Equal([new Attendee("Ana", At(1), LeftAt: null, At(9))], back.Attendees);
        Assert.Equal([("participant.joined", At(1))], Events(CallPeople.None, joined));
        Assert.Equal([("participant.left", At(5))], Events(joined, left));
        Assert.Equal([("participant.joined", At(9))], Events(left, back));
        Assert.Equal([("participant.joined", At(1)), ("participant.left", At(5))], Events(CallPeople.None, left));
    }

    [Fact]
    public void Turn_that_began_and_ended_in_between_has_both_events()
    {
        var speaks = CallPeople.None.With(Starts("track:1", 1), name: null);
        var again = speaks.With(Stops("track:1", 3), "Ana").With(Starts("track:1", 5), "Ana").With(Stops("track:1", 8), "Ana");

        Assert.Equal([("speaker.started", At(1))], Events(CallPeople.None, speaks));
        Assert.Equal([("speaker.stopped", At(3)), ("speaker.started", At(5)), ("speaker.stopped", At(8))], Events(speaks, again));
        Assert.Equal("Ana", again.Speakers[0].Name);
    }

    [Fact]
    public void Somebody_who_speaks_at_the_end_of_the_call_stops_with_it()
    {
        var speaks = CallPeople.None.With(Starts("track:1", 1), "Ana").With(Stops("track:1", 3), "Ana").With(Starts("track:1", 5), "Ana");

        Assert.Equal([("speaker.stopped", At(9))], Events(speaks, speaks.AfterCall(At(9))));
        Assert.Same(CallPeople.None, CallPeople.None.AfterCall(At(9)));
    }

    [Fact]
    public void Participant_who_was_seen_once_leaves()
    {
        var tracker = new PresenceTracker();
        var people = CallPeople.None;
        foreach (var (second, names) in new (int, string[])[] { (0, ["Ana", "Ben"]), (1, ["Ana"]), (2, ["Ana"]), (8, ["Ana"]) })
            people = tracker.Observe(names, isEverybodyShown: true, At(second)).Aggregate(people, (known, presence) => known.With(presence));

        Assert.Equal([("Ana", false), ("Ben", true)], people.Attendees.Select(attendee => (attendee.Name, attendee.LeftAt is not null)));
    }

    [Fact]
    public void Journal_that_is_read_again_changes_nothing()
    {
        var once = Read(CallPeople.None);

        Assert.Same(once, Read(once));

        static CallPeople Read(CallPeople people) => people
            .With(Comes("Ana", 1)).With(Starts("track:1", 2), null).With(Stops("track:1", 3), null).With(Starts("track:1", 4), null).With(Goes("Ana", 6)).With(Comes("Ana", 7));
    }

    [Fact]
    public void Record_stays_small_and_events_come_to_an_end_whatever_the_recorder_writes()
    {
        var people = CallPeople.None;
        for (var number = 0; number < 1000; number++)
            people = people.With(Comes($"{number} {new string('x', 400)}", number + 1)).With(Starts($"track:{number}", number + 1), null);
        Assert.Equal((CallPeople.MaxAttendees, CallPeople.MaxSpeakers), (people.Attendees.Count, people.Speakers.Count));
        Assert.All(people.Attendees, attendee => Assert.Equal(64, attendee.Name.Length));

        for (var turn = 0; turn < CallPeople.MaxChanges; turn++)
            people = people.With(Starts("track:1", 2000 + 2 * turn), null).With(Stops("track:1", 2001 + 2 * turn), null);
        Assert.Equal(CallPeople.MaxChanges, people.Changes);
    }

    [Fact]
    public void Webhook_without_a_list_of_events_does_not_get_those_of_people()
    {
        var user = UserId.Default;
        var all = new Webhook { Id = "wh_1", UserId = user, Url = new("https://example.com"), CreatedAt = SampleBots.Noon, Secret = "whsec_x" };
        var named = all with { Events = ["speaker.started"] };

        Assert.DoesNotContain(PeopleEvents.Types, type => all.Selects(user, type));
        Assert.True(all.Selects(user, "bot.completed"));
        Assert.Equal(["speaker.started"], WebhookEvent.Types.Where(type => named.Selects(user, type)));
    }

    [Fact]
    public void Participants_are_those_who_were_shown_and_those_who_were_heard()
    {
        var bot = SampleBots.In(BotStatus.Recording) with
        {
            RecordingAt = At(0),
            Speakers = [new("Ana", "track:1", 2, 3, 5), new(null, "track:2", 1, 1, 2)],
            People = CallPeople.None.With(Comes("Ben", 2)).With(Comes("Ana", 4)).With(Goes("Ben", 9)).With(Starts("track:1", 3), "Ana"),
        };

        Assert.Equal(
            [
                new ParticipantResponse(null, "track:2", null, null, false, 1, At(1), At(2)),
                new ParticipantResponse("Ben", null, At(2), At(9), false, 0, null, null),
                new ParticipantResponse("Ana", "track:1", At(4), null, true, 2, At(3), At(5)),
            ],
            ParticipantList.Of(bot).Items);
    }

    private static IEnumerable<(string, DateTimeOffset)> Events(CallPeople before, CallPeople after) =>
        PeopleEvents.Between(Id, before, after).Select(change => (change.Type, change.Data.At));

    private static Presence Comes(string name, int second) => new(name, At(second).ToUnixTimeMilliseconds(), IsPresent: true);

    private static Presence Goes(string name, int second) => new(name, At(second).ToUnixTimeMilliseconds(), IsPresent: false);

    private static Speaking Starts(string source, int second) => new(source, At(second).ToUnixTimeMilliseconds(), IsSpeaking: true);

    private static Speaking Stops(string source, int second) => new(source, At(second).ToUnixTimeMilliseconds(), IsSpeaking: false);

    private static DateTimeOffset At(int second) => SampleBots.Noon.AddSeconds(second);
}
