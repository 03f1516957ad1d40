using System.Net;
using System.Net.Http.Json;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace NewarBots.AppHost.Bots;

/// <summary>HTTP client of the manager's API, attached to its resource.</summary>
internal sealed class ManagerApi : IResourceAnnotation, IDisposable
{
    private const int PageSize = 200;

    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan AnswerInterval = TimeSpan.FromSeconds(0.2);

    /// <summary>
    /// Propagates no trace context of the AppHost, which exports none: a bot's trace begins at the manager, and polling is not traced.
    /// </summary>
    private readonly HttpClient _http = new(new SocketsHttpHandler { ActivityHeadersPropagator = null }) { Timeout = TimeSpan.FromSeconds(10) };

    private readonly EndpointReference _endpoint;

    /// <param name="endpoint">The manager's endpoint.</param>
    /// <param name="key">An admin key, required if the manager has keys; else empty.</param>
    public ManagerApi(EndpointReference endpoint, string key)
    {
        _endpoint = endpoint;
        if (key is not "")
            _http.DefaultRequestHeaders.Add("X-API-Key", key);
    }

    /// <summary>Whether the manager's address is known yet.</summary>
    public bool HasAddress => _endpoint.IsAllocated;

    /// <summary>Whether the manager has sent a health report.</summary>
    public bool HasAnswered { get; private set; }

    public string Address => _endpoint.Url.TrimEnd('/');

    public void Dispose() => _http.Dispose();

    /// <summary>
    /// The manager's own health report; unhealthy if it sends none. Waits for up to ten seconds for a manager that is starting, because Aspire repeats
    /// a failed check after one second, then two, and so on, which would end the start too late.
    /// </summary>
    public async Task<HealthCheckResult> CheckHealthAsync(CancellationToken cancellation)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var health = await ReadHealthAsync(cancellation);
            if (HasAnswered || TimeProvider.System.GetElapsedTime(started) >= AnswerTimeout)
                return health;
            await Task.Delay(AnswerInterval, TimeProvider.System, cancellation);
        }
    }

    /// <summary>One page of bots, newest first.</summary>
    /// <param name="cursor"><see cref="ManagedBotPage.NextCursor"/> of the previous page; <see langword="null"/> for the first.</param>
    /// <param name="cancellation">Cancels the request.</param>
    /// <exception cref="HttpRequestException">The manager is unreachable or rejects the request.</exception>
    public async Task<ManagedBotPage> ListAsync(string? cursor, CancellationToken cancellation)
    {
        using var response = await GetAsync(cursor is null ? $"/bots?limit={PageSize}" : $"/bots?limit={PageSize}&cursor={cursor}", cancellation);
        return await response.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<ManagedBotPage>(cancellation) ?? new([], null);
    }

    /// <summary>All bots, newest first.</summary>
    /// <exception cref="HttpRequestException">The manager is unreachable or rejects the request.</exception>
    public async IAsyncEnumerable<ManagedBot> ListAllAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        string? cursor = null;
        do
        {
            var page = await ListAsync(cursor, cancellation);
            foreach (var bot in page.Items)
                yield return bot;
            cursor = page.NextCursor;
        }
        while (cursor is not null);
    }

    /// <returns><see langword="null"/> if the bot does not exist.</returns>
    /// <exception cref="HttpRequestException">The manager is unreachable or rejects the request.</exception>
    public async Task<ManagedBot?> FindAsync(string id, CancellationToken cancellation)
    {
        using var response = await GetAsync($"/bots/{id}", cancellation);
        return response.StatusCode is HttpStatusCode.NotFound
            ? null
            : await response.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<ManagedBot>(cancellation);
    }

    /// <summary>The log of the bot's container so far; empty if it has none yet.</summary>
    /// <exception cref="HttpRequestException">The manager is unreachable.</exception>
    public async Task<string> LogAsync(string id, CancellationToken cancellation)
    {
        using var response = await GetAsync($"/bots/{id}/logs", cancellation);
        return response.IsSuccessStatusCode ? await response.Content.ReadAsStringAsync(cancellation) : string.Empty;
    }

    /// <summary>Sends a bot into a rehearsal with three speakers.</summary>
    /// <returns>The container's name.</returns>
    /// <exception cref="HttpRequestException">The manager is unreachable or rejects the request.</exception>
    public async Task<string> RecordRehearsalAsync(CancellationToken cancellation)
    {
        // A random meeting, because a user can have only one bot in a meeting.
        var meetingUrl = $"{Address}/rehearsal/{Letters(3)}-{Letters(4)}-{Letters(3)}?scenario=three-speakers";
        using var response = await _http.PostAsJsonAsync(new Uri($"{Address}/bots"), new { meetingUrl }, cancellation);
        await EnsureDoneAsync(response, cancellation);
        return (await response.Content.ReadFromJsonAsync<ManagedBot>(cancellation))!.ContainerName;

        static string Letters(int count) => RandomNumberGenerator.GetString("abcdefghijklmnopqrstuvwxyz", count);
    }

    /// <returns><see langword="false"/> if the bot has already ended.</returns>
    /// <exception cref="HttpRequestException">The manager is unreachable or rejects the request.</exception>
    public async Task<bool> StopAsync(string id, CancellationToken cancellation)
    {
        using var response = await _http.PostAsync(new Uri($"{Address}/bots/{id}/stop"), content: null, cancellation);
        if (response.StatusCode is HttpStatusCode.Conflict)
            return false;
        await EnsureDoneAsync(response, cancellation);
        return true;
    }

    /// <summary>Stops all active bots except scheduled ones.</summary>
    /// <returns>Number of bots leaving now.</returns>
    /// <exception cref="HttpRequestException">The manager is unreachable or rejects the request.</exception>
    public async Task<int> StopAllAsync(CancellationToken cancellation)
    {
        var stopped = 0;
        await foreach (var bot in ListAllAsync(cancellation))
        {
            if (bot is { CanBeStopped: true, IsScheduled: false } && await StopAsync(bot.Id, cancellation))
                stopped++;
        }
        return stopped;
    }

    private async Task<HealthCheckResult> ReadHealthAsync(CancellationToken cancellation)
    {
        if (!HasAddress)
            return HealthCheckResult.Unhealthy("The manager has no address yet.");
        try
        {
            using var response = await GetAsync("/health", cancellation);
            var health = (await response.Content.ReadFromJsonAsync<ManagerHealth>(cancellation))!;
            HasAnswered = true;
            return health.ToResult();
        }
        catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException or JsonException && !cancellation.IsCancellationRequested)
        {
            return HealthCheckResult.Unhealthy($"{Address}/health sent no valid report: {exception.Message}");
        }
    }

    /// <exception cref="HttpRequestException">The manager rejected the request. The message is the detail of its problem, or else the status code.</exception>
    private static async Task EnsureDoneAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        if (response.IsSuccessStatusCode)
            return;
        string? detail = null;
        if (response.Content.Headers.ContentType?.MediaType is "application/problem+json")
            detail = (string?)(await response.Content.ReadFromJsonAsync<JsonNode>(cancellation))?["detail"];
        throw new HttpRequestException(detail ?? $"The manager answered {(int)response.StatusCode}.", inner: null, response.StatusCode);
    }

    private Task<HttpResponseMessage> GetAsync(string path, CancellationToken cancellation) => _http.GetAsync(new Uri(Address + path), cancellation);
}
