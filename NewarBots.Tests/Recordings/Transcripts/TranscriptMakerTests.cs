using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Bots.Transcripts;
using NewarBots.Manager.Recordings;
using NewarBots.Manager.Recordings.Transcripts;
using NewarBots.Tests.Bots;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Recordings.Transcripts;

/// <summary>All attempts for a real recording, without the waits between them.</summary>
public sealed class TranscriptMakerTests(QueueingManager host) : IClassFixture<QueueingManager>, IAsyncLifetime
{
    /// <summary>Pieces of the recording that <see cref="PlacedBots.RecordedAsync"/> places.</summary>
    private const int Turns = 9;

    private readonly SpeechServerStub _stub = new();
    private readonly FakeTimeProvider _time = new();
    private SpeechServer _server = null!;
    private TranscriptMaker _maker = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private StorageLayout Storage => new(host.Manager.Storage);

    public async ValueTask InitializeAsync()
    {
        await _stub.StartAsync();
        var options = Options.Create(new TranscriptionOptions { Endpoint = _stub.Url, MaxConcurrent = 1 });
        _server = new(options, _time, NullLogger<SpeechServer>.Instance);
        var ffmpeg = new FFmpeg(Options.Create(new FinalizingOptions()), new(TimeProvider.System), NullLogger<FFmpeg>.Instance);
        _maker = new(Storage, ffmpeg, _server, options, _time, NullLogger<TranscriptMaker>.Instance);
    }

    public async ValueTask DisposeAsync()
    {
        _maker.Dispose();
        _server.Dispose();
        await _stub.DisposeAsync();
    }

    [Theory]
    [InlineData(1, false, "The speech server failed (500).")]
    [InlineData(3, false, "The speech server failed (500).")]
    [InlineData(1, true, "The speech server did not answer within 120 s.")]
    [InlineData(3, true, "The speech server did not answer within 120 s.")]
    public async Task Turns_that_fail_until_the_last_attempt_are_missing_and_the_others_have_their_text(int count, bool hangs, string error)
    {
        var bot = await RecordedAsync();
        var (good, bad) = (_stub.Answer, new HashSet<string>());
        _stub.Answer = (request, before) =>
        {
            var audio = Convert.ToBase64String(request.Audio);
            if (before % 2 == 1 && bad.Count < count)
                bad.Add(audio);
            return !bad.Contains(audio) ? good(request, before) : hangs ? Hang() : SpeechServerStub.Problem(500);
        };

        bot = await TranscribeAsync(bot);

        Assert.Equal(TranscriptStatus.Completed, bot.Transcript!.Status);
        Assert.Equal((Turns - count, count), (TextOf(bot).Segments.Count, TextOf(bot).Missing.Count));
        Assert.All(TextOf(bot).Missing, missing => Assert.Equal(error, missing.Error));
        Assert.Equal(Turns + ((TranscriptLifecycle.MaxFailedAttempts - 1) * count), _stub.Requests.Count);
    }

    [Fact]
    public async Task Turns_at_the_beginning_that_always_fail_do_not_hide_the_text_of_the_others()
    {
        var bot = await RecordedAsync();
        var (good, bad) = (_stub.Answer, new HashSet<string>());
        _stub.Answer = (request, before) =>
        {
            var audio = Convert.ToBase64String(request.Audio);
            if (before is > 0 and <= 3)
                bad.Add(audio);
            return bad.Contains(audio) ? SpeechServerStub.Problem(500) : good(request, before);
        };

        bot = await TranscribeAsync(bot);

        Assert.Equal(TranscriptStatus.Completed, bot.Transcript!.Status);
        Assert.Equal((Turns - 3, 3), (TextOf(bot).Segments.Count, TextOf(bot).Missing.Count));
    }

    [Fact]
    public async Task Web_pages_after_the_first_turn_do_not_replace_the_earlier_text_and_the_turn_is_not_sent_again()
    {
        var bot = await TranscribeAsync(await RecordedAsync());
        _maker.Forget(bot);
        var good = _stub.Answer;
        var sent = _stub.Requests.Count;
        _stub.Answer = (request, before) => before == sent ? good(request, before) : SpeechServerStub.Problem(200, "<!doctype html><p>Welcome", "text/html");

        bot = await TranscribeAsync(TranscriptLifecycle.Requested(bot, language: null, SampleBots.Noon));

        Assert.Equal(
            (TranscriptStatus.Failed, "The speech server answered with a web page instead of JSON. Check Transcription:Endpoint. Gave up after 10 attempts."),
            (bot.Transcript!.Status, bot.Transcript.Error));
        Assert.Equal(Turns, TextOf(bot).Segments.Count);
        Assert.Equal(1 + TranscriptLifecycle.MaxFailedAttempts, _stub.Requests.Count - sent);

        (_stub.Answer, sent) = (good, _stub.Requests.Count);
        bot = await TranscribeAsync(TranscriptLifecycle.Requested(bot, language: null, SampleBots.Noon));

        Assert.Equal((TranscriptStatus.Completed, Turns - 1), (bot.Transcript!.Status, _stub.Requests.Count - sent));
    }

    [Fact]
    public async Task First_transcript_may_miss_most_of_the_speech_and_a_repeat_must_not()
    {
        var recorded = await RecordedAsync();
        var good = _stub.Answer;
        _stub.Answer = (request, before) => before == 0 ? good(request, before) : SpeechServerStub.Json("{");

        var first = await TranscribeAsync(recorded);

        Assert.Equal((TranscriptStatus.Completed, Turns - 1), (first.Transcript!.Status, TextOf(first).Missing.Count));

        _stub.Answer = good;
        var second = await TranscribeAsync(TranscriptLifecycle.Requested(first, language: null, SampleBots.Noon));
        Assert.Equal((TranscriptStatus.Completed, 0), (second.Transcript!.Status, TextOf(second).Missing.Count));

        _maker.Forget(second);
        var sent = _stub.Requests.Count;
        _stub.Answer = (request, before) => before == sent ? good(request, before) : SpeechServerStub.Json("{");
        var third = await TranscribeAsync(TranscriptLifecycle.Requested(second, language: null, SampleBots.Noon));

        Assert.Equal((TranscriptStatus.Failed, "The speech server's answer is no valid JSON."), (third.Transcript!.Status, third.Transcript.Error));
        Assert.Equal(Turns, TextOf(third).Segments.Count);
    }

    private async Task<Bot> RecordedAsync()
    {
        var id = await PlacedBots.RecordedAsync(host, "Weekly");
        var bot = SampleBots.In(BotStatus.Completed) with { Id = id, Recording = new("ogg", 1000, 60, Complete: true) };
        return TranscriptLifecycle.Requested(bot, language: null, SampleBots.Noon);
    }

    private Transcript TextOf(Bot bot) => Transcript.TryRead(Storage.Transcript(bot.UserId, bot.Id))!;

    /// <summary>Attempts until the transcript has ended.</summary>
    private async Task<Bot> TranscribeAsync(Bot bot)
    {
        while (bot.Transcript!.IsUnderWay)
        {
            bot = TranscriptLifecycle.Begun(bot, "whisper-1");
            var attempt = bot.Transcript!.Attempt;
            var hasProgressed = false;
            try
            {
                var transcript = await _maker.MakeAsync(bot, _ => Task.FromResult(hasProgressed = true), Cancellation);
                bot = TranscriptLifecycle.Completed(bot, attempt, transcript.Language);
            }
            catch (SpeechServerException failure)
            {
                bot = failure.IsTemporary
                    ? TranscriptLifecycle.Postponed(bot, attempt, failure.Message, hasProgressed, failure.RetryAfter, SampleBots.Noon)
                    : TranscriptLifecycle.Failed(bot, attempt, failure.Message);
            }
        }

        return bot;
    }

    /// <summary>No answer until the client's timeout, which is over at once.</summary>
    private Waiting Hang()
    {
        _time.Advance(TimeSpan.FromMinutes(2));
        return new();
    }

    private sealed class Waiting : IResult
    {
        public Task ExecuteAsync(HttpContext context) => new TaskCompletionSource().Task.WaitAsync(context.RequestAborted);
    }
}
