namespace NewarBots.Manager.Bots;

/// <summary>Decides which webhooks a request may name.</summary>
internal interface IWebhookPolicy
{
    /// <summary>All types of events.</summary>
    IReadOnlyList<string> EventTypes { get; }

    /// <returns>The URL, or its fault.</returns>
    (Uri? Url, string? Fault) Check(string? text);

    /// <summary>A random secret that signs messages.</summary>
    string NewSecret();
}
