using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Options;

namespace NewarBots.Manager.Webhooks;

/// <summary>Sends one message once. It follows no redirect, uses no proxy, and connects to public addresses only, unless told otherwise.</summary>
internal sealed class WebhookSender : IDisposable
{
    /// <summary>Receivers should take a message and think about it later; the specification names 15 to 30 s.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    /// <summary>So often a name is looked up anew at least.</summary>
    private static readonly TimeSpan ConnectionLifetime = TimeSpan.FromMinutes(1);

    private readonly bool _allowPrivate;
    private readonly TimeProvider _time;
    private readonly HttpClient _client;

    /// <summary>Where a name leads.</summary>
    public Func<string, CancellationToken, Task<IPAddress[]>> LookUp { get; init; } = Dns.GetHostAddressesAsync;

    public WebhookSender(IOptions<WebhookOptions> options, TimeProvider time)
    {
        _allowPrivate = options.Value.AllowPrivateAddresses;
        _time = time;
        _client = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            // Strangers have no business with our traces.
            ActivityHeadersPropagator = null,
            PooledConnectionLifetime = ConnectionLifetime,
            // What a receiver says beyond its status is not read.
            MaxResponseDrainSize = 0,
            ConnectCallback = ConnectAsync,
        })
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    public async Task<DeliveryAttempt> SendAsync(Webhook webhook, Delivery delivery, CancellationToken cancellation)
    {
        var at = _time.GetUtcNow();
        var begun = _time.GetTimestamp();
        using var patience = new CancellationTokenSource(Patience, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellation);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, webhook.Url)
            {
                Content = new StringContent(delivery.Payload, Encoding.UTF8, "application/json"),
            };
            request.Headers.UserAgent.Add(new ProductInfoHeaderValue("NewarBots", "1"));
            request.Headers.Add(WebhookSignature.IdHeader, delivery.Id);
            request.Headers.Add(WebhookSignature.TimestampHeader, at.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture));
            request.Headers.Add(WebhookSignature.SignatureHeader, WebhookSignature.Sign(webhook.SecretsAt(at), delivery.Id, at, delivery.Payload));
            using var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
            return Attempt((int)response.StatusCode, Fault(response), RetryAfter(response.Headers.RetryAfter));
        }
        catch (Exception) when (patience.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            return Attempt(status: null, $"It did not answer within {Patience.TotalSeconds:0} s.");
        }
        catch (Exception exception) when (!cancellation.IsCancellationRequested)
        {
            // Whatever it is, it is an attempt that failed, and counts as one.
            return Attempt(status: null, (exception.InnerException ?? exception).Message);
        }

        DeliveryAttempt Attempt(int? status, string? error, TimeSpan? retryAfter = null) =>
            new(at, _time.GetElapsedTime(begun).TotalSeconds, status, error, retryAfter);

        TimeSpan? RetryAfter(RetryConditionHeaderValue? header) => header?.Delta ?? header?.Date - at;
    }

    public void Dispose() => _client.Dispose();

    private static string? Fault(HttpResponseMessage response) => (int)response.StatusCode switch
    {
        >= 200 and < 300 => null,
        >= 300 and < 400 => $"It answered {(int)response.StatusCode}: redirects are not followed.",
        var status => $"It answered {status}.",
    };

    /// <summary>
    /// Names are looked up here, and the connection goes to the very address that was looked at: a name that leads elsewhere a moment
    /// later (DNS rebinding) gains nothing.
    /// </summary>
    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        var addresses = await LookUp(context.DnsEndPoint.Host, cancellation);
        var allowed = _allowPrivate ? addresses : [.. addresses.Where(PublicAddress.Is)];
        if (allowed.Length == 0)
            throw new HttpRequestException($"{context.DnsEndPoint.Host} leads to a private address, which webhooks may not reach (Webhooks:AllowPrivateAddresses).");
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(allowed, context.DnsEndPoint.Port, cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
