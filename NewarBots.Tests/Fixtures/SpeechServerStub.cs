using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace NewarBots.Tests.Fixtures;

/// <summary>A speech server on this machine with the protocol of OpenAI. Tests decide what it answers, and see what it was sent.</summary>
internal sealed class SpeechServerStub : IAsyncDisposable
{
    private readonly int _port = TestPort.Next();
    private readonly ConcurrentQueue<SpeechRequest> _requests = [];
    private WebApplication? _server;

    public string Url => $"http://127.0.0.1:{_port}";

    /// <summary>The answer to a request, given the number of requests before it.</summary>
    public Func<SpeechRequest, int, IResult> Answer { get; set; } = (request, _) => request.IsVerbose
        ? Json("""{"text": "Hello there.", "language": "english", "segments": [{"start": 0.3, "end": 0.9, "text": " Hello there.", "avg_logprob": -0.1}]}""")
        : Json("""{"text": "Hello there."}""");

    public IReadOnlyList<SpeechRequest> Requests => [.. _requests];

    public static IResult Json(string body) => Results.Text(body, "application/json");

    public static IResult Problem(int status, string body = "{}", string type = "application/json") => Results.Text(body, type, statusCode: status);

    public async Task<SpeechServerStub> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        _server = builder.Build();
        _server.Urls.Add(Url);
        _server.Map("/{**any}", async (HttpRequest request) =>
        {
            var form = await request.ReadFormAsync();
            using var audio = new MemoryStream();
            var file = form.Files["file"];
            if (file is not null)
                await file.CopyToAsync(audio);
            var received = new SpeechRequest(
                request.Path, request.Headers.Authorization.ToString(), form.ToDictionary(field => field.Key, field => field.Value.ToString()),
                file?.FileName, file?.ContentType, audio.ToArray(), [.. request.Headers.Keys]);
            var before = _requests.Count;
            _requests.Enqueue(received);
            return Answer(received, before);
        });
        await _server.StartAsync();
        return this;
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
            await _server.DisposeAsync();
    }
}

internal sealed record SpeechRequest(
    string Path, string Authorization, IReadOnlyDictionary<string, string> Fields, string? FileName, string? ContentType, byte[] Audio, IReadOnlyList<string> Headers)
{
    public bool IsVerbose => Fields["response_format"] is "verbose_json";
}
