using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Options;

namespace NewarBots.Manager.Webhooks;

/// <summary>
/// Makes one attempt to send a message. It follows no redirects, uses no proxy, and connects only to addresses that
/// <see cref="WebhookOptions"/> allow.
/// </summary>
internal sealed class WebhookSender : IDisposable
{
    /// <summary>The specification recommends 15 to 30 s.</summary>
    public static readonly TimeSpan AttemptTimeout = TimeSpan.FromSeconds(15);

    /// <summary>Host names are resolved again at least this often.</summary>
    private static readonly TimeSpan ConnectionLifetime = TimeSpan.FromMinutes(1);

    private readonly WebhookOptions _options;
    private readonly TimeProvider _time;
    private readonly HttpClient _client;

    /// <summary>Resolves a host name; tests replace it.</summary>
    public Func<string, CancellationToken, Task<IPAddress[]>> ResolveHost { get; init; } = Dns.GetHostAddressesAsync;

    public WebhookSender(IOptions<WebhookOptions> options, TimeProvider time)
    {
        _options = options.Value;
        _time = time;
        _client = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            // Receivers must not see trace ids.
            ActivityHeadersPropagator = null,
            PooledConnectionLifetime = ConnectionLifetime,
            // Response bodies are not read.
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
        var startedAt = _time.GetTimestamp();
        using var timeout = new CancellationTokenSource(AttemptTimeout, _time);
        using var timeoutOrCancellation = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellation);
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
            using var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, timeoutOrCancellation.Token);
            return Attempt((int)response.StatusCode, DescribeFailure(response), RetryAfter(response.Headers.RetryAfter));
        }
        catch (Exception) when (timeout.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            return Attempt(status: null, $"The receiver did not respond within {AttemptTimeout.TotalSeconds:0} s.");
        }
        catch (Exception exception) when (!cancellation.IsCancellationRequested)
        {
            // Any exception is a failed attempt.
            return Attempt(status: null, (exception.InnerException ?? exception).Message);
        }

        DeliveryAttempt Attempt(int? status, string? error, TimeSpan? retryAfter = null) =>
            new(at, _time.GetElapsedTime(startedAt).TotalSeconds, status, error, retryAfter);

        TimeSpan? RetryAfter(RetryConditionHeaderValue? header) => header?.Delta ?? header?.Date - at;
    }

    public void Dispose() => _client.Dispose();

    private static string? DescribeFailure(HttpResponseMessage response) => (int)response.StatusCode switch
    {
        >= 200 and < 300 => null,
        >= 300 and < 400 => $"The receiver responded with {(int)response.StatusCode}. Redirects are not followed.",
        var status => $"The receiver responded with {status}.",
    };

    /// <summary>
    /// Resolves the host name and connects to the address that was checked, so that a name that resolves to another address a moment later (DNS
    /// rebinding) cannot bypass the check.
    /// </summary>
    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        var addresses = await ResolveHost(context.DnsEndPoint.Host, cancellation);
        var allowed = addresses.Where(_options.Allows).ToArray();
        if (allowed.Length == 0)
            throw new HttpRequestException($"{context.DnsEndPoint.Host} resolves to a private address, which webhooks may not reach (Webhooks:AllowPrivateAddresses).");
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
