using System.Net.Mime;
using System.Text;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace NewarBots.Manager.Bots.Events;

/// <summary>
/// A response of server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). Written by hand, since the
/// framework's own has no comments, by which a connection is kept while nothing happens.
/// </summary>
internal sealed class EventStream(HttpResponse response, TimeProvider time)
{
    /// <summary>Proxies commonly cut a connection on which nothing came for a minute.</summary>
    public static readonly TimeSpan SignOfLifeAfter = TimeSpan.FromSeconds(15);

    private long _sentAt;

    /// <summary>Sends the headers, with a first sign of life.</summary>
    public async Task OpenAsync(CancellationToken cancellation)
    {
        response.ContentType = MediaTypeNames.Text.EventStream;
        response.Headers[HeaderNames.CacheControl] = "no-cache";
        response.Headers["X-Accel-Buffering"] = "no";
        response.HttpContext.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        await SendSignOfLifeAsync(cancellation);
    }

    /// <summary>Nothing is sent before <see cref="FlushAsync"/>.</summary>
    /// <param name="type">The event's name.</param>
    /// <param name="id">What a client that comes back sends as <c>Last-Event-ID</c>; where it is not given, the one before holds.</param>
    /// <param name="json">One line.</param>
    public void Append(string type, string? id, string json) =>
        Encoding.UTF8.GetBytes($"{(id is null ? "" : $"id: {id}\n")}event: {type}\ndata: {json}\n\n", response.BodyWriter);

    public async Task FlushAsync(CancellationToken cancellation)
    {
        await response.BodyWriter.FlushAsync(cancellation);
        _sentAt = time.GetTimestamp();
    }

    /// <summary>A comment, where nothing was sent for a while.</summary>
    public Task KeepAliveAsync(CancellationToken cancellation) =>
        time.GetElapsedTime(_sentAt) >= SignOfLifeAfter ? SendSignOfLifeAsync(cancellation) : Task.CompletedTask;

    private Task SendSignOfLifeAsync(CancellationToken cancellation)
    {
        Encoding.UTF8.GetBytes(":\n\n", response.BodyWriter);
        return FlushAsync(cancellation);
    }
}
