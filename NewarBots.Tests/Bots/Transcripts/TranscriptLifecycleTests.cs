using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Transcripts;
using NewarBots.Manager.Webhooks;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Bots.Transcripts;

public sealed class TranscriptLifecycleTests
{
    private static readonly DateTimeOffset Now = SampleBots.Noon;

    private static readonly Bot Recorded = SampleBots.In(BotStatus.Completed) with { Recording = new("ogg", 1000, 60, Complete: true) };

    private static readonly Bot Pending = TranscriptLifecycle.Requested(Recorded, "de", Now);

    private static readonly Bot Processing = TranscriptLifecycle.Begun(Pending, "whisper-1");

    [Fact]
    public void Finished_recording_of_a_bot_that_wants_a_transcript_gets_one_and_others_do_not()
    {
        var finalizing = SampleBots.In(BotStatus.Finalizing);
        var result = new FinalizationResult.Recorded(new("ogg", 1000, 60, Complete: true), 6, 50);

        var wanted = BotLifecycle.Finalized(finalizing with { TranscriptWish = new("pt-BR") }, result, Now);

        Assert.Equal(new(TranscriptStatus.Pending) { Language = "pt-BR", DueAt = Now }, wanted.Transcript);
        Assert.Null(BotLifecycle.Finalized(finalizing, result, Now).Transcript);
        Assert.Null(BotLifecycle.Finalized(finalizing with { TranscriptWish = new(null) }, new FinalizationResult.NothingRecorded(), Now).Transcript);
    }

    [Fact]
    public void Request_without_a_recording_or_while_one_is_made_changes_nothing()
    {
        var nothing = SampleBots.In(BotStatus.Failed);
        Assert.Same(nothing, TranscriptLifecycle.Requested(nothing, "de", Now));
        Assert.Same(Pending, TranscriptLifecycle.Requested(Pending, "en", Now));
        Assert.Same(Processing, TranscriptLifecycle.Requested(Processing, "en", Now));
    }

    [Fact]
    public void Ended_transcript_can_be_made_again_in_another_language()
    {
        var completed = TranscriptLifecycle.Completed(Processing, attempt: 1, "german");
        Assert.Equal((TranscriptStatus.Completed, "german", null), (completed.Transcript!.Status, completed.Transcript.Language, completed.Transcript.DueAt));

        var again = TranscriptLifecycle.Begun(TranscriptLifecycle.Requested(completed, "en", Now), "whisper-1");

        Assert.Equal((TranscriptStatus.Processing, "en", 2), (again.Transcript!.Status, again.Transcript.Language, again.Transcript.Attempt));
    }

    [Fact]
    public void Earlier_text_stays_until_a_repeat_is_completed()
    {
        var completed = TranscriptLifecycle.Completed(Processing, attempt: 1, "german");
        var again = TranscriptLifecycle.Begun(TranscriptLifecycle.Requested(completed, "en", Now), "whisper-1");
        var failed = TranscriptLifecycle.Failed(again, attempt: 2, "Away.");
        var third = TranscriptLifecycle.Begun(TranscriptLifecycle.Requested(failed, "en", Now), "whisper-1");

        Assert.All([completed, again, failed, third], bot => Assert.True(bot.Transcript!.HasText));
        Assert.All([Pending, Processing, TranscriptLifecycle.Failed(Processing, 1, "x")], bot => Assert.False(bot.Transcript!.HasText));
        Assert.Equal((TranscriptStatus.Failed, "Away.", "/bots/" + failed.Id + "/transcript"),
            (BotTranscriptResponse.Of(failed)!.Status, BotTranscriptResponse.Of(failed)!.Error, BotTranscriptResponse.Of(failed)!.Url));
        Assert.False(TranscriptLifecycle.Completed(third, attempt: 3, "english").Transcript!.HasEarlierText);
    }

    [Fact]
    public void Late_result_of_an_earlier_attempt_is_ignored()
    {
        var second = TranscriptLifecycle.Begun(Processing, "whisper-1");

        Assert.Same(second, TranscriptLifecycle.Completed(second, attempt: 1, "german"));
        Assert.Same(second, TranscriptLifecycle.Failed(second, attempt: 1, "late"));
        Assert.Same(Pending, TranscriptLifecycle.Completed(Pending, attempt: 0, "german"));
    }

    [Fact]
    public void Temporary_failures_wait_longer_each_time_and_then_end()
    {
        var (bot, waits) = (Pending, new List<TimeSpan>());
        while (bot.Transcript!.IsUnderWay)
        {
            bot = TranscriptLifecycle.Begun(bot, "whisper-1");
            bot = TranscriptLifecycle.Postponed(bot, bot.Transcript!.Attempt, "Away.", hasProgressed: false, retryAfter: null, Now);
            if (bot.Transcript!.DueAt is { } due)
                waits.Add(due - Now);
        }

        Assert.Equal(TranscriptLifecycle.MaxFailedAttempts - 1, waits.Count);
        Assert.Equal(TimeSpan.FromSeconds(10), waits[0]);
        Assert.Equal(waits.Order().Distinct(), waits);
        Assert.Equal((TranscriptStatus.Failed, "Away. Gave up after 10 attempts."), (bot.Transcript.Status, bot.Transcript.Error));
    }

    [Fact]
    public void Attempt_that_transcribed_something_counts_as_the_first_failure()
    {
        var failedOften = Processing with { Transcript = Processing.Transcript! with { FailedAttempts = TranscriptLifecycle.MaxFailedAttempts - 1 } };

        var postponed = TranscriptLifecycle.Postponed(failedOften, attempt: 1, "Away.", hasProgressed: true, retryAfter: null, Now);

        Assert.Equal((TranscriptStatus.Pending, 1), (postponed.Transcript!.Status, postponed.Transcript.FailedAttempts));
    }

    [Theory]
    [InlineData(1, null, 10)]
    [InlineData(1, 120, 120)]
    [InlineData(5, 20, 160)]
    [InlineData(1, 1_000_000, 3600)]
    [InlineData(1, -5, 10)]
    public void Retry_after_is_honoured_within_an_hour(int failed, int? retryAfter, int seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), TranscriptLifecycle.WaitAfter(failed, retryAfter is { } wish ? TimeSpan.FromSeconds(wish) : null));

    [Fact]
    public void Transcript_changes_neither_the_status_nor_the_recording()
    {
        foreach (var bot in (Bot[])[Pending, Processing, TranscriptLifecycle.Progressed(Processing, 1, 0.5), TranscriptLifecycle.Failed(Processing, 1, "x"), TranscriptLifecycle.Completed(Processing, 1, null)])
            Assert.Equal(Recorded, bot with { Transcript = null });
    }

    [Fact]
    public void Webhooks_hear_of_the_end_of_a_transcript_only()
    {
        Assert.Empty(Types(Recorded, Pending));
        Assert.Empty(Types(Pending, Processing));
        Assert.Empty(Types(Processing, TranscriptLifecycle.Progressed(Processing, 1, 0.5)));
        Assert.Equal(["transcript.completed"], Types(Processing, TranscriptLifecycle.Completed(Processing, 1, null)));
        Assert.Equal(["transcript.failed"], Types(Processing, TranscriptLifecycle.Failed(Processing, 1, "x")));
        Assert.Equal(["bot.completed"], Types(SampleBots.In(BotStatus.Finalizing), Pending));

        static IEnumerable<string> Types(Bot before, Bot after) => WebhookEvent.Between(before, after, SampleBots.Noon).Select(change => change.Type);
    }
}
