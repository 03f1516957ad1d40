using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using NewarBots.Manager.Bots.Transcripts;
using NewarBots.Manager.Recordings.Transcripts;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Recordings.Transcripts;

/// <summary>The client with a real HTTP server that behaves in each way that servers do.</summary>
public sealed class SpeechServerTests : IAsyncLifetime
{
    private const string Key = "sk-secret-123";

    private readonly SpeechServerStub _stub = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await _stub.StartAsync();

    public ValueTask DisposeAsync() => _stub.DisposeAsync();

    [Fact]
    public async Task Request_has_the_audio_the_model_and_all_settings()
    {
        using var server = Server(options => (options.Model, options.Prompt, options.ApiKey, options.Language) = ("large-v3", "NewarBots", Key, "de"));

        var answer = await server.TranscribeAsync([1, 2, 3], 2, language: "pt-BR", Cancellation, Cancellation);

        Assert.Equal("Hello there.", answer.Text);
        var request = Assert.Single(_stub.Requests);
        Assert.Equal(("/v1/audio/transcriptions", $"Bearer {Key}", "speech.ogg", "audio/ogg"), (request.Path, request.Authorization, request.FileName, request.ContentType));
        Assert.Equal([1, 2, 3], request.Audio);
        Assert.Equal(("large-v3", "NewarBots", "pt", "verbose_json", "word,segment"),
            (request.Fields["model"], request.Fields["prompt"], request.Fields["language"], request.Fields["response_format"], request.Fields["timestamp_granularities[]"]));
        Assert.DoesNotContain("traceparent", request.Headers, StringComparer.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Server_without_key_and_language_gets_neither()
    {
        using var server = Server();

        await server.TranscribeAsync([1], 2, language: null, Cancellation, Cancellation);

        var request = Assert.Single(_stub.Requests);
        Assert.Empty(request.Authorization);
        Assert.False(request.Fields.ContainsKey("language"));
        Assert.False(request.Fields.ContainsKey("prompt"));
    }

    [Fact]
    public async Task Server_that_knows_json_only_is_asked_for_times_once_an_hour_and_the_log_says_so()
    {
        _stub.Answer = (request, _) => request.IsVerbose
            ? SpeechServerStub.Problem(400, """{"error": {"message": "response_format 'verbose_json' is not compatible"}}""")
            : SpeechServerStub.Json("""{"text": "Yes."}""");
        var (time, log) = (new FakeTimeProvider(), new LogLines<SpeechServer>());
        using var server = Server(time: time, log: log);

        for (var hour = 0; hour < 2; hour++)
        {
            Assert.Equal("Yes.", (await server.TranscribeAsync([1], 2, null, Cancellation, Cancellation)).Text);
            Assert.Equal("Yes.", (await server.TranscribeAsync([1], 2, null, Cancellation, Cancellation)).Text);
            time.Advance(TimeSpan.FromHours(1));
        }

        Assert.Equal(["verbose_json", "json", "json", "verbose_json", "json", "json"], _stub.Requests.Select(request => request.Fields["response_format"]));
        Assert.Equal(2, log.All.Count);
        Assert.All(log.All, line => Assert.EndsWith("(400): response_format 'verbose_json' is not compatible.", line.Text, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Request_that_waits_for_others_is_not_sent_any_more_once_it_is_not_wanted()
    {
        var gate = new TaskCompletionSource();
        _stub.Answer = (_, _) => new Gated(gate.Task);
        using var unwanted = new CancellationTokenSource();
        using var server = Server(options => options.MaxConcurrent = 1);
        var sent = server.TranscribeAsync([1], 2, null, unwanted.Token, Cancellation);
        var waiting = server.TranscribeAsync([2], 2, null, unwanted.Token, Cancellation);
        await Eventually.TrueAsync(() => _stub.Requests.Count == 1);

        await unwanted.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        gate.SetResult();
        Assert.Equal("x", (await sent).Text);
        Assert.Single(_stub.Requests);
    }

    [Theory]
    [InlineData("Quota exceeded", "The speech server is over its limit (429): Quota exceeded.")]
    [InlineData("Slow down!", "The speech server is over its limit (429): Slow down!")]
    public async Task Error_ends_as_a_sentence(string said, string message)
    {
        _stub.Answer = (_, _) => SpeechServerStub.Problem(429, $$"""{"error": "{{said}}"}""");
        using var server = Server();

        Assert.Equal(message, (await FailAsync(server)).Message);
    }

    [Theory]
    [InlineData(401, false, "The speech server rejected the key (401). Check Transcription:ApiKey: Bad key ***.")]
    [InlineData(404, false, "The speech server does not know the address or the model (404). Check Transcription:Endpoint and Transcription:Model: Bad key ***.")]
    [InlineData(413, false, "The speech server rejected the audio as too large (413). Lower Transcription:MaxUploadMegabytes: Bad key ***.")]
    [InlineData(422, false, "The speech server rejected the request (422): Bad key ***.")]
    [InlineData(429, true, "The speech server is over its limit (429): Bad key ***.")]
    [InlineData(500, true, "The speech server failed (500): Bad key ***.")]
    [InlineData(503, true, "The speech server failed (503): Bad key ***.")]
    [InlineData(302, false, "The speech server answered with a redirect (302), which is not followed. Check Transcription:Endpoint: Bad key ***.")]
    public async Task Error_says_what_to_do_without_the_key(int status, bool isTemporary, string message)
    {
        _stub.Answer = (_, _) => SpeechServerStub.Problem(status, $$$"""{"error": {"message": "Bad key {{{Key}}}."}}""");
        using var server = Server(options => options.ApiKey = Key);

        var error = await FailAsync(server);

        Assert.Equal((message, isTemporary), (error.Message, error.IsTemporary));
    }

    [Fact]
    public async Task Retry_after_is_passed_on()
    {
        _stub.Answer = (_, _) => new RetryLater();
        using var server = Server();

        var error = await FailAsync(server);

        Assert.Equal((true, TimeSpan.FromSeconds(77)), (error.IsTemporary, error.RetryAfter));
    }

    [Theory]
    [InlineData("text/html", "<!doctype html><p>Welcome", "The speech server answered with a web page instead of JSON. Check Transcription:Endpoint.", true)]
    [InlineData("application/json", "{\"text\": ", "The speech server's answer is no valid JSON.")]
    [InlineData("application/json", "\"\\ud800\"", "The speech server's answer has no text.")]
    [InlineData("application/json", "{\"text\": \"\\ud800\"}", "The speech server's answer is no valid JSON.")]
    [InlineData("application/json", "[1]", "The speech server's answer has no text.")]
    [InlineData("application/json", "{\"text\": 1}", "The speech server's answer has no text.")]
    [InlineData("application/json", "", "The speech server's answer is no valid JSON.")]
    public async Task Answer_that_is_no_transcription_is_a_clear_error(string type, string body, string message, bool isAboutServer = false)
    {
        _stub.Answer = (_, _) => SpeechServerStub.Problem(200, body, type);
        using var server = Server();

        var error = await FailAsync(server);

        Assert.Equal((message, isAboutServer, !isAboutServer), (error.Message, error.IsTemporary, error.IsAboutPiece));
    }

    [Theory]
    [InlineData(10 * 1024 * 1024, "The speech server's answer is longer than 2 MB.")]
    [InlineData(100_000, "The speech server's text for one piece of speech is longer than 20000 characters.")]
    public async Task Endless_text_is_not_kept(int length, string message)
    {
        _stub.Answer = (_, _) => SpeechServerStub.Json($$"""{"text": "{{new string('x', length)}}"}""");
        using var server = Server();

        Assert.Equal(message, (await FailAsync(server)).Message);
    }

    [Fact]
    public async Task Server_that_hangs_is_left_after_the_timeout()
    {
        _stub.Answer = (_, _) => new Hanging();
        using var server = Server(options => options.Timeout = TimeSpan.FromMilliseconds(300));

        var error = await FailAsync(server);

        Assert.Equal(("The speech server did not answer within 0.3 s.", true, true), (error.Message, error.IsTemporary, error.IsAboutPiece));
    }

    [Fact]
    public async Task Server_that_is_away_is_a_temporary_error_without_its_address()
    {
        var port = TestPort.Next();
        using var server = Server(options => options.Endpoint = $"http://127.0.0.1:{port}");

        var error = await FailAsync(server);

        Assert.Equal(("The speech server cannot be reached: connection refused.", true), (error.Message, error.IsTemporary));
    }

    [Fact]
    public async Task Server_that_closes_the_connection_is_a_temporary_error()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var closing = Task.Run(async () =>
        {
            using var client = await listener.AcceptTcpClientAsync(Cancellation);
        }, Cancellation);
        using var server = Server(options => options.Endpoint = $"http://{listener.LocalEndpoint}");

        var error = await FailAsync(server);

        await closing;
        Assert.True(error.IsTemporary, error.Message);
        Assert.StartsWith("The speech server cannot be reached: ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_more_requests_than_allowed_run_at_once()
    {
        var (running, most) = (0, 0);
        _stub.Answer = (_, _) => new Counting(() => most = Math.Max(most, Interlocked.Increment(ref running)), () => Interlocked.Decrement(ref running));
        using var server = Server(options => options.MaxConcurrent = 3);

        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => server.TranscribeAsync([1], 2, null, Cancellation, Cancellation)));

        Assert.InRange(most, 1, 3);
    }

    [Theory]
    [InlineData("""{"text": "a b", "words": [{"word": "a", "start": 500, "end": 501}, {"word": "b", "start": 1, "end": 2}]}""")]
    [InlineData("""{"text": "a b", "segments": [{"text": "a b", "start": -3, "end": 1}]}""")]
    [InlineData("""{"text": "a b", "segments": [{"text": "a b", "start": 3, "end": 1}]}""")]
    public void Impossible_times_are_dropped_and_the_text_is_kept(string json)
    {
        var answer = SpeechAnswer.Parse(Encoding.UTF8.GetBytes(json), seconds: 10);

        Assert.Equal(("a b", true), (answer.Text, answer.HasBadTimes));
        Assert.Empty(answer.Words);
        Assert.Empty(answer.Segments);
    }

    [Fact]
    public void Control_characters_and_line_breaks_become_spaces()
    {
        var answer = SpeechAnswer.Parse("""{"text": " a\u0000\u202e<script>\r\n\nb ", "language": "<i>", "segments": {}, "words": [1, {"word": 2}]}"""u8.ToArray(), seconds: 10);

        Assert.Equal(("a <script> b", null), (answer.Text, answer.Language));
    }

    private SpeechServer Server(Action<TranscriptionOptions>? change = null, TimeProvider? time = null, ILogger<SpeechServer>? log = null)
    {
        var options = new TranscriptionOptions { Endpoint = _stub.Url };
        change?.Invoke(options);
        return new(Options.Create(options), time ?? TimeProvider.System, log ?? NullLogger<SpeechServer>.Instance);
    }

    private static Task<SpeechServerException> FailAsync(SpeechServer server) =>
        Assert.ThrowsAsync<SpeechServerException>(() => server.TranscribeAsync([1, 2, 3], 2, language: null, Cancellation, Cancellation));

    private sealed class RetryLater : IResult
    {
        public Task ExecuteAsync(HttpContext context)
        {
            context.Response.StatusCode = 429;
            context.Response.Headers.RetryAfter = "77";
            return Task.CompletedTask;
        }
    }

    /// <summary>Sends the headers and the first byte of the body, and nothing more.</summary>
    private sealed class Hanging : IResult
    {
        public async Task ExecuteAsync(HttpContext context)
        {
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync("{", context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
            await new TaskCompletionSource().Task.WaitAsync(context.RequestAborted);
        }
    }

    private sealed class Gated(Task gate) : IResult
    {
        public async Task ExecuteAsync(HttpContext context)
        {
            await gate;
            await SpeechServerStub.Json("""{"text": "x"}""").ExecuteAsync(context);
        }
    }

    private sealed class Counting(Action begin, Action end) : IResult
    {
        public async Task ExecuteAsync(HttpContext context)
        {
            begin();
            await Task.Yield();
            end();
            await SpeechServerStub.Json("""{"text": "x"}""").ExecuteAsync(context);
        }
    }
}
