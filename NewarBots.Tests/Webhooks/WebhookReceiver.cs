using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Webhooks;

/// <summary>A receiver on this machine that records messages and verifies their signatures with its own code.</summary>
internal sealed class WebhookReceiver : IAsyncDisposable
{
    private readonly ConcurrentQueue<ReceivedMessage> _received = [];
    private readonly int _port = ManagerProcess.FreePort();
    private WebApplication? _server;

    public string Url => $"http://127.0.0.1:{_port}/hook";

    /// <summary>The response to a message, given the number of messages before it.</summary>
    public Func<int, IResult> Answer { get; set; } = _ => Results.NoContent();

    public IReadOnlyList<ReceivedMessage> Received => [.. _received];

    public IEnumerable<string> Types => _received.Select(message => (string)message.Body["type"]!);

    public async Task StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        _server = builder.Build();
        _server.Urls.Add($"http://127.0.0.1:{_port}");
        _server.Map("/{**any}", async (HttpRequest request) =>
        {
            using var reader = new StreamReader(request.Body);
            var text = await reader.ReadToEndAsync();
            var before = _received.Count;
            _received.Enqueue(new(
                request.Path, request.Headers["webhook-id"]!, request.Headers["webhook-timestamp"]!, request.Headers["webhook-signature"]!, text,
                [.. request.Headers.Select(header => header.Key)]));
            return Answer(before);
        });
        await _server.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
            await _server.DisposeAsync();
    }
}

internal sealed record ReceivedMessage(string Path, string Id, string Timestamp, string Signatures, string Text, IReadOnlyList<string> Headers)
{
    public JsonNode Body => JsonNode.Parse(Text)!;

    /// <summary>Verifies the signature as a receiver would.</summary>
    public bool IsSignedWith(string secret)
    {
        var key = Convert.FromBase64String(secret.Split('_')[1]);
        var expected = "v1," + Convert.ToBase64String(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes($"{Id}.{Timestamp}.{Text}")));
        return Signatures.Split(' ').Contains(expected)
            && Math.Abs(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() - long.Parse(Timestamp, CultureInfo.InvariantCulture)) < 60;
    }
}
