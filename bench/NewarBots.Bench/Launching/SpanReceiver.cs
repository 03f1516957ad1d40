using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace NewarBots.Bench.Launching;

/// <summary>A step that the manager or a recorder has told of.</summary>
internal sealed record Span(string Name, string Bot, DateTimeOffset Start, DateTimeOffset End);

/// <summary>Takes the product's own telemetry (OTLP, <c>http/protobuf</c>) and keeps the spans of bots.</summary>
internal sealed class SpanReceiver : IAsyncDisposable
{
    private const string BotTag = "newarbots.bot.id";

    private readonly ConcurrentQueue<Span> _spans = [];
    private readonly WebApplication _app;

    private SpanReceiver(WebApplication app) => _app = app;

    public string Address { get; } = $"http://127.0.0.1:{ChildProcess.FreePort()}";

    public IEnumerable<Span> Of(string bot) => _spans.Where(span => span.Bot == bot);

    public static async Task<SpanReceiver> StartAsync(CancellationToken cancellation)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore();
        var receiver = new SpanReceiver(builder.Build());
        receiver._app.Urls.Add(receiver.Address);
        receiver._app.Run(receiver.TakeAsync);
        await receiver._app.StartAsync(cancellation);
        return receiver;
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private async Task TakeAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        if (context.Request.Path == "/v1/traces")
            Read(body.ToArray());
    }

    /// <summary>Field numbers from opentelemetry/proto/collector/trace/v1, trace/v1 and common/v1.</summary>
    private void Read(ReadOnlyMemory<byte> export)
    {
        foreach (var resourceSpans in ProtobufMessage.Read(export).Messages(1))
        {
            foreach (var span in resourceSpans.Messages(2).SelectMany(scopeSpans => scopeSpans.Messages(2)))
            {
                var bot = span.Messages(9).FirstOrDefault(tag => tag.Text(1) == BotTag)?.Messages(2).Single().Text(1);
                if (bot is not null)
                    _spans.Enqueue(new(span.Text(5), bot, FromNanoseconds(span.Fixed64(7)), FromNanoseconds(span.Fixed64(8))));
            }
        }
    }

    private static DateTimeOffset FromNanoseconds(ulong sinceEpoch) => DateTimeOffset.UnixEpoch.AddTicks((long)(sinceEpoch / 100));
}
