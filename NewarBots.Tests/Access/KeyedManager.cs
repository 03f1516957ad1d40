using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using NewarBots.Contract;
using NewarBots.Manager.Access;
using NewarBots.Tests.Bots;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Access;

/// <summary>A real manager with keys. Its Docker engine is unavailable, so its bots stay queued.</summary>
public sealed class KeyedManager : IAsyncLifetime
{
    internal QueueingManager Host { get; } = new();

    internal ManagerProcess Manager => Host.Manager;

    internal string Admin { get; private set; } = string.Empty;

    internal string Anna { get; private set; } = string.Empty;

    internal string Bert { get; private set; } = string.Empty;

    public async ValueTask InitializeAsync()
    {
        await Host.InitializeAsync();
        Admin = await AddAsync(Manager, "root", AccessRole.Admin);
        Anna = await AddAsync(Manager, "anna");
        Bert = await AddAsync(Manager, "bert");
    }

    public ValueTask DisposeAsync() => Host.DisposeAsync();

    /// <returns>The new key's secret.</returns>
    internal static async Task<string> AddAsync(ManagerProcess manager, string user, AccessRole role = AccessRole.User)
    {
        var (key, secret) = KeyFileTests.Make(user, role);
        await FileOf(manager).ChangeAsync(list => list.Add(key));
        return secret.Text;
    }

    internal static KeyFile FileOf(ManagerProcess manager) => new(new StorageLayout(manager.Storage), TimeProvider.System, NullLogger<KeyFile>.Instance);

    internal Task<Answer> AskAsync(string? key, string method, string path, string? json = null, params (string Name, string Value)[] headers) =>
        AskAsync(Manager, key, method, path, json, headers);

    internal static async Task<Answer> AskAsync(
        ManagerProcess manager, string? key, string method, string path, string? json = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(new(method), path);
        if (key is not null)
            request.Headers.Add("X-API-Key", key);
        foreach (var (name, value) in headers)
            Assert.True(request.Headers.TryAddWithoutValidation(name, value));
        if (json is not null)
            request.Content = new StringContent(json, Encoding.UTF8, "application/json");
        using var response = await manager.Api.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        var isJson = response.Content.Headers.ContentType?.MediaType is "application/json" or "application/problem+json";
        return new(
            response.StatusCode,
            isJson ? JsonNode.Parse(await response.Content.ReadAsStringAsync()) : null,
            response.Headers.Concat(response.Content.Headers).ToDictionary(header => header.Key, header => string.Join(", ", header.Value)));
    }

    /// <summary>Creates a bot for a new meeting URL.</summary>
    /// <returns>The bot's id.</returns>
    internal async Task<string> SendBotAsync(string key, string? userId = null)
    {
        var sent = await AskAsync(key, "POST", "/bots", BotJson(userId));
        Assert.True(sent.Status is HttpStatusCode.Accepted, $"{sent.Body}");
        return (string)sent.Body!["id"]!;
    }

    internal static string BotJson(string? userId = null)
    {
        var letters = string.Concat(Guid.CreateVersion7().ToByteArray()[^10..].Select(part => (char)('a' + part % 26)));
        var body = new JsonObject { ["meetingUrl"] = $"https://meet.google.com/{letters[..3]}-{letters[3..7]}-{letters[7..]}" };
        if (userId is not null)
            body["userId"] = userId;
        return body.ToJsonString();
    }
}

internal sealed record Answer(HttpStatusCode Status, JsonNode? Body, IReadOnlyDictionary<string, string> Headers)
{
    public string? Problem => ((string?)Body?["type"])?.Split(':')[^1];
}
