using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;
using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Bots.Transcripts;

namespace NewarBots.Manager.Recordings.Transcripts;

/// <summary>
/// Client of an OpenAI-compatible speech server (<c>POST /v1/audio/transcriptions</c>). Asks for the times of words and segments; a server that rejects
/// that is asked for plain text for the next hour. Follows no redirects, because they would receive the audio and the key. Answers are
/// bounded in time and size.
/// </summary>
internal sealed partial class SpeechServer : IDisposable
{
    /// <summary>A minute of speech with the times of all words takes about 50 kB.</summary>
    public const int MaxAnswerBytes = 2 * 1024 * 1024;

    private const int MaxErrorBytes = 16 * 1024;

    private const int MaxErrorText = 200;

    private static readonly TimeSpan ConnectionLifetime = TimeSpan.FromMinutes(5);

    /// <summary>Another model, or a newer server, may report times.</summary>
    private static readonly TimeSpan TextOnlyPeriod = TimeSpan.FromHours(1);

    private readonly TranscriptionOptions _options;
    private readonly TimeProvider _time;
    private readonly HttpClient _client;
    private readonly SemaphoreSlim _slots;
    private readonly ILogger<SpeechServer> _logger;

    /// <summary>Until when the server is asked for plain text only, in ticks of UTC.</summary>
    private long _textOnlyUntil;

    public SpeechServer(IOptions<TranscriptionOptions> options, TimeProvider time, ILogger<SpeechServer> logger)
    {
        _logger = logger;
        _options = options.Value;
        _time = time;
        _slots = new(_options.MaxConcurrent);
        _client = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            // The server may belong to somebody else, who must not see trace ids.
            ActivityHeadersPropagator = null,
            PooledConnectionLifetime = ConnectionLifetime,
            MaxResponseDrainSize = 0,
        })
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    /// <param name="ogg">An Ogg Opus file.</param>
    /// <param name="seconds">Its length.</param>
    /// <param name="language">The language that is spoken, if known.</param>
    /// <param name="unsent">Ends the wait for other requests. A request that was sent is paid for, so it continues.</param>
    /// <param name="cancellation">Ends the request.</param>
    /// <exception cref="SpeechServerException">There is no usable answer.</exception>
    public async Task<SpeechAnswer> TranscribeAsync(
        byte[] ogg, double seconds, string? language, CancellationToken unsent, CancellationToken cancellation)
    {
        using (var waiting = CancellationTokenSource.CreateLinkedTokenSource(unsent, cancellation))
            await _slots.WaitAsync(waiting.Token);
        try
        {
            if (_time.GetUtcNow().UtcTicks < Volatile.Read(ref _textOnlyUntil))
                return await AskAsync(ogg, seconds, language, withTimes: false, cancellation);
            try
            {
                return await AskAsync(ogg, seconds, language, withTimes: true, cancellation);
            }
            catch (UnsupportedRequestException exception)
            {
                var answer = await AskAsync(ogg, seconds, language, withTimes: false, cancellation);
                var until = _time.GetUtcNow() + TextOnlyPeriod;
                Volatile.Write(ref _textOnlyUntil, until.UtcTicks);
                Log.TextOnly(_logger, until, exception.Message);
                return answer;
            }
        }
        finally
        {
            _slots.Release();
        }
    }

    public void Dispose()
    {
        _client.Dispose();
        _slots.Dispose();
    }

    private async Task<SpeechAnswer> AskAsync(byte[] ogg, double seconds, string? language, bool withTimes, CancellationToken cancellation)
    {
        using var timeout = new CancellationTokenSource(_options.Timeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellation);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, _options.Address) { Content = Form(ogg, language, withTimes) };
            request.Headers.UserAgent.Add(new ProductInfoHeaderValue("NewarBots", "1"));
            request.Headers.Accept.Add(new("application/json"));
            if (!string.IsNullOrEmpty(_options.ApiKey))
                request.Headers.Authorization = new("Bearer", _options.ApiKey);
            using var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
            if (!response.IsSuccessStatusCode)
                throw await FailureOfAsync(response, withTimes, either.Token);
            var body = await ReadAsync(response, MaxAnswerBytes, either.Token)
                ?? throw new SpeechServerException($"The speech server's answer is longer than {MaxAnswerBytes / 1024 / 1024} MB.") { IsAboutPiece = true };
            return SpeechAnswer.Parse(body, seconds);
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            throw new SpeechServerException($"The speech server did not answer within {_options.Timeout.TotalSeconds:0.#} s.") { IsTemporary = true, IsAboutPiece = true };
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            throw new SpeechServerException($"The speech server cannot be reached: {Describe(exception)}.", exception) { IsTemporary = true };
        }
    }

    private MultipartFormDataContent Form(byte[] ogg, string? language, bool withTimes)
    {
        var audio = new ByteArrayContent(ogg);
        audio.Headers.ContentType = new("audio/ogg");
        var form = new MultipartFormDataContent { { audio, "file", "speech.ogg" } };
        Add("model", _options.Model);
        Add("response_format", withTimes ? "verbose_json" : "json");
        Add("temperature", "0");
        Add("language", Primary(language ?? _options.Language));
        Add("prompt", _options.Prompt);
        if (withTimes)
        {
            Add("timestamp_granularities[]", "word");
            Add("timestamp_granularities[]", "segment");
        }

        return form;

        void Add(string name, string? value)
        {
            if (!string.IsNullOrEmpty(value))
                form.Add(new StringContent(value), name);
        }
    }

    /// <summary>Servers know languages without a region only.</summary>
    private static string? Primary(string? language) => language?.Split('-')[0].ToLowerInvariant();

    private async Task<Exception> FailureOfAsync(HttpResponseMessage response, bool withTimes, CancellationToken cancellation)
    {
        var said = await ErrorTextAsync(response, cancellation);
        var status = (int)response.StatusCode;
        switch (status)
        {
            case 400 or 415 or 422 when withTimes:
                return new UnsupportedRequestException(Sentence($"The speech server rejected the request ({status})"));
            case 401 or 403:
                return new SpeechServerException(Sentence($"The speech server rejected the key ({status}). Check Transcription:ApiKey"));
            case 404 or 405:
                return new SpeechServerException(Sentence(
                    $"The speech server does not know the address or the model ({status}). Check Transcription:Endpoint and Transcription:Model"));
            case 413:
                return new SpeechServerException(Sentence("The speech server rejected the audio as too large (413). Lower Transcription:MaxUploadMegabytes"))
                {
                    IsAboutPiece = true,
                };
            case >= 300 and < 400:
                return new SpeechServerException(Sentence($"The speech server answered with a redirect ({status}), which is not followed. Check Transcription:Endpoint"));
            case 408 or 409 or 425 or 429 or (>= 500 and not 501):
                return new SpeechServerException(Sentence(
                    status is 429 ? "The speech server is over its limit (429)" : $"The speech server failed ({status})"))
                {
                    IsTemporary = true,
                    IsAboutPiece = status is 500,
                    RetryAfter = response.Headers.RetryAfter is { } header ? header.Delta ?? header.Date - _time.GetUtcNow() : null,
                };
            default:
                return new SpeechServerException(Sentence($"The speech server rejected the request ({status})")) { IsAboutPiece = status is 400 or 415 or 422 };
        }

        string Sentence(string text) => (said is null ? text : $"{text}: {said}") is var all && ".!?…".Contains(all[^1], StringComparison.Ordinal) ? all : $"{all}.";
    }

    /// <returns>The server's own words, without its knowledge of the key; <see langword="null"/> if it says nothing readable.</returns>
    private async Task<string?> ErrorTextAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        if (await ReadAsync(response, MaxErrorBytes, cancellation) is not { } body)
            return null;
        try
        {
            using var json = JsonDocument.Parse(body);
            var text = DisplayText.Clean(Find(json.RootElement))?.Trim();
            if (!string.IsNullOrEmpty(_options.ApiKey))
                text = text?.Replace(_options.ApiKey, "***", StringComparison.Ordinal);
            return string.IsNullOrEmpty(text) ? null : text.Length > MaxErrorText ? $"{text[..MaxErrorText]}…" : text;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return null;
        }

        static string? Find(JsonElement element)
        {
            if (element.ValueKind is JsonValueKind.String)
                return element.GetString();
            if (element.ValueKind is not JsonValueKind.Object)
                return null;
            foreach (var name in (string[])["error", "message", "detail"])
            {
                if (element.TryGetProperty(name, out var member) && Find(member) is { } text)
                    return text;
            }

            return null;
        }
    }

    /// <returns><see langword="null"/> if the body is longer.</returns>
    private static async Task<byte[]?> ReadAsync(HttpResponseMessage response, int maxBytes, CancellationToken cancellation)
    {
        if (response.Content.Headers.ContentLength > maxBytes)
            return null;
        await using var stream = await response.Content.ReadAsStreamAsync(cancellation);
        using var body = new MemoryStream();
        var buffer = new byte[16 * 1024];
        while (await stream.ReadAsync(buffer, cancellation) is > 0 and var read)
        {
            if (body.Length + read > maxBytes)
                return null;
            body.Write(buffer, 0, read);
        }

        return body.ToArray();
    }

    /// <summary>Messages of .NET name the address, which users need not see.</summary>
    private static string Describe(Exception exception) => exception switch
    {
        { InnerException: SocketException { SocketErrorCode: var error } } => WordsOf(error.ToString()),
        HttpRequestException { HttpRequestError: not HttpRequestError.Unknown and var error } => WordsOf(error.ToString()),
        _ => "the connection was lost",
    };

    /// <summary><c>ConnectionRefused</c> becomes "connection refused".</summary>
    private static string WordsOf(string name) =>
        string.Concat(name.Select((letter, index) => index > 0 && char.IsUpper(letter) ? $" {char.ToLowerInvariant(letter)}" : char.ToLower(letter, CultureInfo.InvariantCulture).ToString()));

    /// <summary>The server does not accept this form of the request.</summary>
    private sealed class UnsupportedRequestException(string message) : Exception(message);

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "The speech server reports no times, so each turn has one segment. It is asked for times again at {Until}: {Error}")]
        public static partial void TextOnly(ILogger logger, DateTimeOffset until, string error);
    }
}
