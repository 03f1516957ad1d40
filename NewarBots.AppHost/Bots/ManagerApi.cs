using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace NewarBots.AppHost.Bots;

/// <summary>The manager, asked over HTTP.</summary>
internal sealed class ManagerApi : IDisposable
{
    private const int PageSize = 200;

    /// <summary>Hands on no trace of the AppHost's, which nobody collects: a bot's trace begins at the manager.</summary>
    private readonly HttpClient _http = new(new SocketsHttpHandler { ActivityHeadersPropagator = null }) { Timeout = TimeSpan.FromSeconds(10) };

    private readonly EndpointReference _endpoint;

    /// <param name="endpoint">The manager's.</param>
    /// <param name="key">An admin's, where the manager asks for keys.</param>
    public ManagerApi(EndpointReference endpoint, string? key)
    {
        _endpoint = endpoint;
        if (!string.IsNullOrEmpty(key))
            _http.DefaultRequestHeaders.Add("X-API-Key", key);
    }

    /// <summary>Whether it has an address yet.</summary>
    public bool IsKnown => _endpoint.IsAllocated;

    public string Address => _endpoint.Url.TrimEnd('/');

    public void Dispose() => _http.Dispose();

    /// <summary>How it is, by its own word; unhealthy where it gives none.</summary>
    public async Task<HealthCheckResult> CheckHealthAsync(CancellationToken cancellation)
    {
        if (!IsKnown)
            return HealthCheckResult.Unhealthy("The manager has no address yet.");
        try
        {
            using var response = await LookAsync("/health", cancellation);
            return (await response.Content.ReadFromJsonAsync<ManagerHealth>(cancellation))!.OnDashboard;
        }
        catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException or JsonException && !cancellation.IsCancellationRequested)
        {
            return HealthCheckResult.Unhealthy($"{Address}/health says nothing of use: {exception.Message}");
        }
    }

    /// <summary>One page of bots, newest first.</summary>
    /// <param name="cursor">Where the page before ended; <see langword="null"/> for the newest.</param>
    /// <param name="cancellation">Ends the asking.</param>
    /// <exception cref="HttpRequestException">The manager does not answer, or refuses.</exception>
    public async Task<ManagedBotPage> ListAsync(string? cursor, CancellationToken cancellation)
    {
        using var response = await LookAsync(cursor is null ? $"/bots?limit={PageSize}" : $"/bots?limit={PageSize}&cursor={cursor}", cancellation);
        return await response.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<ManagedBotPage>(cancellation) ?? new([], null);
    }

    /// <summary>All bots, newest first.</summary>
    /// <exception cref="HttpRequestException">The manager does not answer, or refuses.</exception>
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

    /// <returns><see langword="null"/> where there is no such bot.</returns>
    /// <exception cref="HttpRequestException">The manager does not answer, or refuses.</exception>
    public async Task<ManagedBot?> FindAsync(string id, CancellationToken cancellation)
    {
        using var response = await LookAsync($"/bots/{id}", cancellation);
        return response.StatusCode is HttpStatusCode.NotFound
            ? null
            : await response.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<ManagedBot>(cancellation);
    }

    /// <summary>The log of the bot's container so far; empty where there is none yet.</summary>
    /// <exception cref="HttpRequestException">The manager does not answer.</exception>
    public async Task<string> LogAsync(string id, CancellationToken cancellation)
    {
        using var response = await LookAsync($"/bots/{id}/logs", cancellation);
        return response.IsSuccessStatusCode ? await response.Content.ReadAsStringAsync(cancellation) : string.Empty;
    }

    /// <summary>Sends a bot into a rehearsal with three speakers.</summary>
    /// <returns>Its container's name.</returns>
    /// <exception cref="HttpRequestException">The manager does not answer, or refuses.</exception>
    public async Task<string> RecordRehearsalAsync(CancellationToken cancellation)
    {
        // A meeting of its own each time: one user has at most one bot in a meeting.
        var meetingUrl = $"{Address}/rehearsal/{Letters(3)}-{Letters(4)}-{Letters(3)}?scenario=three-speakers";
        using var response = await _http.PostAsJsonAsync(new Uri($"{Address}/bots"), new { meetingUrl }, cancellation);
        if (!response.IsSuccessStatusCode)
            throw new HttpRequestException(await response.Content.ReadAsStringAsync(cancellation), inner: null, response.StatusCode);
        return (await response.Content.ReadFromJsonAsync<ManagedBot>(cancellation))!.ContainerName;

        static string Letters(int count) => RandomNumberGenerator.GetString("abcdefghijklmnopqrstuvwxyz", count);
    }

    /// <returns>Whether it leaves now; a bot that has ended does not.</returns>
    /// <exception cref="HttpRequestException">The manager does not answer.</exception>
    public async Task<bool> StopAsync(string id, CancellationToken cancellation)
    {
        using var response = await _http.PostAsync(new Uri($"{Address}/bots/{id}/stop"), content: null, cancellation);
        return response.IsSuccessStatusCode;
    }

    /// <summary>Sends every bot home that is on its way or there; scheduled ones stay scheduled.</summary>
    /// <returns>How many leave now.</returns>
    /// <exception cref="HttpRequestException">The manager does not answer, or refuses.</exception>
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

    /// <summary>It comes with a parent that is not recorded.</summary>
    private async Task<HttpResponseMessage> LookAsync(string path, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(Address + path));
        request.Headers.Add("traceparent", $"00-{ActivityTraceId.CreateRandom()}-{ActivitySpanId.CreateRandom()}-00");
        return await _http.SendAsync(request, cancellation);
    }
}
