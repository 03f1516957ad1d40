using System.Net.Mime;
using System.Text;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace NewarBots.Manager.Bots.Events;

/// <summary>
/// A response of server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). Hand-written, because the framework's
/// implementation cannot send comments, which keep an idle connection open.
/// </summary>
internal sealed class EventStream(HttpResponse response, TimeProvider time)
{
    /// <summary>Proxies commonly close a connection that is idle for a minute.</summary>
    public static readonly TimeSpan KeepAliveInterval = TimeSpan.FromSeconds(15);

    private long _sentAt;

    /// <summary>Sends the headers and a first comment.</summary>
    public async Task OpenAsync(CancellationToken cancellation)
    {
        response.ContentType = MediaTypeNames.Text.EventStream;
        response.Headers[HeaderNames.CacheControl] = "no-cache";
        response.Headers["X-Accel-Buffering"] = "no";
        response.HttpContext.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        await SendCommentAsync(cancellation);
    }

    /// <summary>Appends an event; <see cref="FlushAsync"/> sends it.</summary>
    /// <param name="type">The event's name.</param>
    /// <param name="id">A reconnecting client sends it as <c>Last-Event-ID</c>; without one, the previous id stays valid.</param>
    /// <param name="json">The data, in one line.</param>
    public void Append(string type, string? id, string json) =>
        Encoding.UTF8.GetBytes($"{(id is null ? "" : $"id: {id}\n")}event: {type}\ndata: {json}\n\n", response.BodyWriter);

    public async Task FlushAsync(CancellationToken cancellation)
    {
        await response.BodyWriter.FlushAsync(cancellation);
        _sentAt = time.GetTimestamp();
    }

    /// <summary>Sends a comment if nothing was sent for a while.</summary>
    public Task KeepAliveAsync(CancellationToken cancellation) =>
        time.GetElapsedTime(_sentAt) >= KeepAliveInterval ? SendCommentAsync(cancellation) : Task.CompletedTask;

    private Task SendCommentAsync(CancellationToken cancellation)
    {
        Encoding.UTF8.GetBytes(":\n\n", response.BodyWriter);
        return FlushAsync(cancellation);
    }
}
