using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Tracking;
using NewarBots.Tests.Fixtures;
using NewarBots.Tests.Webhooks;
using StackExchange.Redis;

namespace NewarBots.Tests.Tracking;

public sealed class BotFollowerTests(RedisServer server) : IClassFixture<RedisServer>, IAsyncLifetime
{
    /// <summary>The limit for one bot in Redis, whatever its recorder writes.</summary>
    private const long MaxBytesOfBot = 1_000_000;

    private readonly string _storage = Directory.CreateTempSubdirectory("newarbots-follower-").FullName;
    private readonly FakeTimeProvider _time = new(SampleBots.Noon.AddDays(2));
    private readonly MetricsProbe _metrics = new();
    private ConnectionMultiplexer _redis = null!;

    public async ValueTask InitializeAsync() => _redis = await server.ConnectAsync();

    public async ValueTask DisposeAsync()
    {
        await _redis.DisposeAsync();
        _metrics.Dispose();
        Directory.Delete(_storage, recursive: true);
    }

    [Fact]
    public async Task Each_message_is_on_the_stream_once_and_in_order_although_several_managers_read()
    {
        var bot = await LaunchedAsync();
        BotFollower[] managers = [Manager(), Manager(), Manager()];
        var reading = new List<Task>();
        for (var sequence = 100; sequence < 160; sequence++)
        {
            Report(bot, bot.Says(sequence == 100 ? BotStatus.Joining : BotStatus.Recording, sequence));
            reading.AddRange(managers.Select(manager => (Task)manager.FollowAsync(bot.Id)));
        }

        await Task.WhenAll(reading);
        var (read, hasMore) = await Manager().FollowAsync(bot.Id);

        Assert.Equal(Enumerable.Range(100, 60).Select(sequence => (long)sequence), await SequencesAsync(bot));
        Assert.Equal((BotStatus.Recording, 159L, 1590.0, false), (read!.Status, read.LastSequence, read.RecordedSeconds, hasMore));
        Assert.Equal(new FileInfo(JournalOf(bot)).Length, read.Journal.Offset);
    }

    [Fact]
    public async Task Last_line_waits_until_it_is_complete_or_its_recorder_is_gone()
    {
        var bot = await LaunchedAsync();
        Report(bot, bot.Says(BotStatus.Joining, 100));
        await AppendAsync(bot, Journal.Format(new(Status: bot.Says(BotStatus.Leaving, 101, EndReason.MeetingEnded)))[..30]);
        await Manager().FollowAsync(bot.Id);
        await Manager().FollowAsync(bot.Id);
        Assert.Equal([100L], await SequencesAsync(bot));

        await AppendAsync(bot, Journal.Format(new(Status: bot.Says(BotStatus.Leaving, 101, EndReason.MeetingEnded)))[30..]);
        await Manager().FollowAsync(bot.Id);
        Assert.Equal([100L], await SequencesAsync(bot));

        var ended = await Manager().ReadToEndAsync(bot.Id);
        Assert.Equal([100L, 101], await SequencesAsync(bot));
        Assert.Equal((BotStatus.Leaving, EndReason.MeetingEnded), (ended!.Status, ended.Reason!.Value));
    }

    [Fact]
    public async Task Useless_lines_of_a_recorder_are_logged_once_a_minute()
    {
        var bot = await LaunchedAsync();
        Report(bot, bot.Says(BotStatus.Joining, 100));
        var log = new LogLines<BotFollower>();
        var manager = new BotFollower(Store().Commands, new(_storage), _time, log);
        for (var turn = 0; turn < 5; turn++)
            await FollowUselessLineAsync();
        Assert.Single(log.All);

        _time.Advance(TimeSpan.FromMinutes(1));
        await FollowUselessLineAsync();
        Assert.Equal(2, log.All.Count);

        async Task FollowUselessLineAsync()
        {
            await AppendAsync(bot, "x\n");
            await manager.FollowAsync(bot.Id);
        }
    }

    [Fact]
    public async Task Journal_read_again_from_its_beginning_adds_nothing()
    {
        var bot = await LaunchedAsync();
        Report(bot, bot.Says(BotStatus.Joining, 100), bot.Says(BotStatus.Recording, 101));
        await Manager().FollowAsync(bot.Id);

        // A manager of an earlier version kept no position.
        await Store().Commands.UpdateAsync(bot.Id, known => known with { Journal = new() });
        await Manager().FollowAsync(bot.Id);
        Assert.Equal([100L, 101], await SequencesAsync(bot));

        // Shortened, as by a recorder that removes a line that it could not write, and continued.
        var lines = await File.ReadAllLinesAsync(JournalOf(bot));
        await File.WriteAllTextAsync(JournalOf(bot), lines[0] + "\n");
        await Manager().FollowAsync(bot.Id);
        Report(bot, bot.Says(BotStatus.Leaving, 102, EndReason.EveryoneLeft));
        await Manager().FollowAsync(bot.Id);
        Assert.Equal([100L, 101, 102], await SequencesAsync(bot));
    }

    [Fact]
    public async Task Messages_that_an_earlier_version_of_the_recorder_appended_itself_are_not_repeated_and_none_is_lost()
    {
        var bot = await LaunchedAsync();
        var joining = bot.Says(BotStatus.Joining, 100);
        Report(bot, joining, bot.Says(BotStatus.Recording, 101));
        // The earlier manager had read the first from the stream. The second one was refused there: the new manager took that right away.
        await Store().Commands.UpdateAsync(bot.Id, known => new BotChange(BotLifecycle.StatusReceived(known, joining), ["{\"sequence\":100}"]));

        var read = (await Manager().FollowAsync(bot.Id)).Bot!;

        Assert.Equal((BotStatus.Recording, 101L), (read.Status, read.LastSequence));
        Assert.Equal(2, await _redis.GetDatabase().StreamLengthAsync(RedisNames.EventStream(bot.Id)));
    }

    [Theory]
    [InlineData(""" "status":"completed" """)]
    [InlineData(""" "status":"finalizing" """)]
    [InlineData(""" "status":"launching" """)]
    [InlineData(""" "sequence":9223372036854775807 """)]
    [InlineData(""" "sequence":-1 """)]
    [InlineData(""" "participants":-5 """)]
    [InlineData(""" "participants":2147483647 """)]
    [InlineData(""" "recordedSeconds":-1e308 """)]
    [InlineData(""" "recordedSeconds":1e300 """)]
    [InlineData(""" "audibleSeconds":1e999 """)]
    [InlineData(""" "chunks":-1 """)]
    [InlineData(""" "level":2147483647 """)]
    [InlineData(""" "timestamp":9000000000000000000 """)]
    [InlineData(""" "timestamp":-1 """)]
    [InlineData(""" "status":"anything" """)]
    public async Task Implausible_message_changes_nothing(string forged)
    {
        var bot = await LaunchedAsync();
        var fields = forged.Trim().Split(':');
        string[] all = [$"\"sessionId\":\"{bot.Id}\"", "\"status\":\"recording\"", "\"timestamp\":1773489600000", "\"sequence\":100"];
        RecorderJournal.Write(_storage, bot.UserId, bot.Id, "{\"status\":{" + string.Join(',', all.Where(field => !field.StartsWith(fields[0], StringComparison.Ordinal)).Append(forged)) + "}}");

        var (read, _) = await Manager().FollowAsync(bot.Id);

        Assert.Empty(await SequencesAsync(bot));
        Assert.Equal((BotStatus.Launching, bot.LastSequence, 0.0, null), (read!.Status, read.LastSequence, read.RecordedSeconds, read.Participants));
    }

    [Fact]
    public async Task Message_of_another_bot_and_texts_that_are_too_long_are_ignored_and_others_are_cleaned()
    {
        var bot = await LaunchedAsync();
        Report(
            bot,
            SampleBots.Queued().Says(BotStatus.Recording, 100),
            bot.Says(BotStatus.Joining, 101) with { Detail = new('x', StatusMessage.MaxDetailLength + 1) },
            bot.Says(BotStatus.Waiting, 102) with { Detail = "\u001b[2Jtwo\nlines\u202e" });

        var (read, _) = await Manager().FollowAsync(bot.Id);

        Assert.Equal([102L], await SequencesAsync(bot));
        Assert.Equal(" [2Jtwo lines ", read!.Detail);
    }

    [Fact]
    public async Task Times_lie_between_the_request_and_now()
    {
        var bot = await LaunchedAsync();
        Report(bot, bot.Says(BotStatus.Joining, 100) with { Timestamp = 1 }, bot.Says(BotStatus.Recording, 101) with { Timestamp = 99_999_999_999_999 });

        var (read, _) = await Manager().FollowAsync(bot.Id);

        Assert.Equal((bot.CreatedAt, _time.GetUtcNow()), (read!.JoiningAt!.Value, read.RecordingAt!.Value));
        Assert.Equal([bot.CreatedAt, _time.GetUtcNow()], (await _redis.EventsOfAsync(bot.Id)).Select(message => message.At));
    }

    [Fact]
    public async Task Bot_ends_although_the_highest_sequence_number_and_the_last_entry_of_its_stream_are_taken()
    {
        var bot = await LaunchedAsync();
        await Store().Commands.UpdateAsync(bot.Id, known => known with { LastSequence = long.MaxValue });
        await _redis.GetDatabase().StreamAddAsync(RedisNames.EventStream(bot.Id), RedisNames.MessageField, "x", "18446744073709551615-18446744073709551615");

        await Store().Commands.UpdateAsync(bot.Id, known => BotLifecycle.RecorderGone(known, exit: null));

        var last = Assert.Single(await _redis.EventsOfAsync(bot.Id));
        Assert.Equal((BotStatus.Finalizing, long.MaxValue), (last.Status, last.Sequence));
    }

    [Fact]
    public async Task Bot_of_24_hours_has_events_until_its_end_and_takes_less_than_a_megabyte()
    {
        var bot = await LaunchedAsync();
        var at = bot.CreatedAt;
        StatusMessage Next(BotStatus status, long sequence) => new(
            bot.Id, status, (at += TimeSpan.FromSeconds(5)).ToUnixTimeMilliseconds(), sequence, Chunks: (int)(sequence / 2), RecordedSeconds: sequence * 5.01,
            AudibleSeconds: sequence * 4.01, Participants: 12, Level: -21);
        Report(bot, Next(BotStatus.Joining, 100), Next(BotStatus.Waiting, 101));
        Report(bot, [.. Enumerable.Range(102, 17_280).Select(sequence => Next(BotStatus.Recording, sequence))]);
        Report(bot, Next(BotStatus.Recording, 17_400) with { Reason = EndReason.NoAudio, Detail = "Nothing is heard." });
        Report(bot, Next(BotStatus.Leaving, 17_401) with { Reason = EndReason.MeetingEnded });

        await FollowAllAsync(bot);

        var events = await _redis.EventsOfAsync(bot.Id);
        Assert.Equal([100L, 101, 102], events.Take(3).Select(message => message.Sequence));
        Assert.Equal([17_400L, 17_401], events.TakeLast(2).Select(message => message.Sequence));
        var longest = events.Zip(events.Skip(1), (earlier, later) => later.At - earlier.At).Max();
        Assert.InRange(longest, TimeSpan.Zero, TimeSpan.FromMinutes(5));
        Assert.InRange(await BytesAsync(bot), 1, MaxBytesOfBot);
    }

    [Fact]
    public async Task Recorder_that_writes_without_limit_takes_less_than_a_megabyte_and_holds_up_no_other_call()
    {
        var redis = _redis.GetServers()[0];
        var bot = await LaunchedAsync();
        // The largest messages that are accepted: each changes the warning, and JSON escapes each character of it.
        Report(bot, [.. Enumerable.Range(100, 1_000).Select(sequence => bot.Says(BotStatus.Recording, sequence, EndReason.NoAudio) with
        {
            Chunks = 1, RecordedSeconds = 1, Detail = sequence + new string('<', 1_990),
        })]);
        Report(bot, [.. Enumerable.Range(10_000, 100_000).Select(sequence => bot.Says(BotStatus.Recording, sequence, sequence % 2 == 0 ? EndReason.NoAudio : null) with { Chunks = 1, RecordedSeconds = 1 })]);
        Report(bot, bot.Says(BotStatus.Leaving, 200_000, EndReason.MeetingEnded) with { Chunks = 1, RecordedSeconds = 1 });
        await redis.ExecuteAsync("CONFIG", "RESETSTAT");

        var turns = await FollowAllAsync(bot);

        var events = await _redis.EventsOfAsync(bot.Id);
        Assert.Equal(BotStatus.Leaving, events[^1].Status);
        Assert.InRange(await BytesAsync(bot), 1, MaxBytesOfBot);
        // Other bots are read between the turns, and other calls are answered between two commands.
        Assert.InRange(turns, new FileInfo(JournalOf(bot)).Length / JournalReader.PartBytes, int.MaxValue);
        await CommandTimes.AssertShortAsync(redis);
    }

    [Fact]
    public async Task Recorder_that_reports_endless_participants_and_speakers_takes_less_than_a_megabyte_and_ends_no_call_late()
    {
        var redis = _redis.GetServers()[0];
        var bot = await LaunchedAsync();
        Report(bot, bot.Says(BotStatus.Recording, 100));
        var at = bot.CreatedAt.ToUnixTimeMilliseconds();
        RecorderJournal.Write(_storage, bot.UserId, bot.Id, Enumerable.Range(1, 150_000).Select(number => Journal.Format(number % 2 == 0
            ? new(Presence: new($"{number % 400}{new string('<', 400)}", at + number, number % 3 == 0))
            : new(Speaking: new($"track:{number % 600}", at + number, number % 5 == 0, new string('\u0105', 64))))));
        // A time that no clock of an honest recorder tells.
        RecorderJournal.Write(_storage, bot.UserId, bot.Id, [Journal.Format(new(Presence: new("Late", DateTimeOffset.MaxValue.ToUnixTimeMilliseconds(), IsPresent: true)))]);
        await redis.ExecuteAsync("CONFIG", "RESETSTAT");

        await FollowAllAsync(bot);

        var people = (await Store().Queries.FindAsync(bot.Id))!.People;
        Assert.Equal((CallPeople.MaxAttendees, CallPeople.MaxSpeakers), (people.Attendees.Count, people.Speakers.Count));
        Assert.All(people.Attendees, attendee => Assert.InRange(attendee.ChangedAt, bot.CreatedAt, _time.GetUtcNow()));
        Assert.InRange(await BytesAsync(bot), 1, MaxBytesOfBot);
        await CommandTimes.AssertShortAsync(redis);
    }

    [Theory]
    [InlineData("missing")]
    [InlineData("link")]
    [InlineData("pipe")]
    [InlineData("folder")]
    public async Task Journal_that_is_no_file_counts_as_missing(string kind)
    {
        var bot = await LaunchedAsync();
        Report(bot, bot.Says(BotStatus.Joining, 100));
        var target = JournalOf(bot) + ".elsewhere";
        File.Move(JournalOf(bot), target);
        if (kind == "link")
            File.CreateSymbolicLink(JournalOf(bot), target);
        else if (kind == "folder")
            Directory.CreateDirectory(JournalOf(bot));
        else if (kind == "pipe")
            Process.Start("mkfifo", JournalOf(bot)).WaitForExit();

        Assert.Equal((BotStatus.Launching, false), await Manager().FollowAsync(bot.Id) is var (read, hasMore) ? (read!.Status, hasMore) : default);
        Assert.Equal(BotStatus.Launching, (await Manager().ReadToEndAsync(bot.Id))!.Status);
    }

    private async Task<Bot> LaunchedAsync()
    {
        var bot = SampleBots.Queued(user: $"user-{SessionId.New(TimeProvider.System)}");
        await Store().Commands.CreateAsync(bot, idempotency: null);
        var launched = (await Store().Commands.UpdateAsync(bot.Id, BotLifecycle.LaunchBegun))!;
        await _redis.GetDatabase().KeyDeleteAsync(RedisNames.EventStream(bot.Id));
        return launched;
    }

    private void Report(Bot bot, params IEnumerable<StatusMessage> messages) =>
        RecorderJournal.Write(_storage, bot.UserId, bot.Id, messages.Select(message => Journal.Format(new(Status: message))));

    private Task AppendAsync(Bot bot, string text) => File.AppendAllTextAsync(JournalOf(bot), text);

    private string JournalOf(Bot bot) => RecorderJournal.PathOf(_storage, bot.UserId, bot.Id);

    /// <returns>In how many turns.</returns>
    private async Task<int> FollowAllAsync(Bot bot)
    {
        var turns = 1;
        while ((await Manager().FollowAsync(bot.Id)).HasMore)
            turns++;
        return turns;
    }

    private async Task<IEnumerable<long>> SequencesAsync(Bot bot) => (await _redis.EventsOfAsync(bot.Id)).Select(message => message.Sequence);

    /// <summary>All that Redis holds of the bot.</summary>
    private async Task<long> BytesAsync(Bot bot) =>
        (long)await _redis.GetDatabase().ExecuteAsync("MEMORY", "USAGE", RedisNames.EventStream(bot.Id), "SAMPLES", 0)
        + (long)await _redis.GetDatabase().ExecuteAsync("MEMORY", "USAGE", $"newarbots:bot:{bot.Id}", "SAMPLES", 0);

    private BotStorage Store() => new(_redis, _metrics.Bots, Outboxes.Unused(_time), _time);

    private BotFollower Manager() => new(Store().Commands, new(_storage), _time, NullLogger<BotFollower>.Instance);
}
