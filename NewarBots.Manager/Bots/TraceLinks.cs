using System.Diagnostics;
using NewarBots.ServiceDefaults;

namespace NewarBots.Manager.Bots;

/// <summary>Links to the bots' traces in the Aspire dashboard, if <c>Telemetry:Dashboard</c> is set.</summary>
internal sealed class TraceLinks
{
    private const string Key = "Telemetry:Dashboard";

    private readonly Uri? _dashboard;

    /// <exception cref="InvalidSettingException">The setting is not an http or https address.</exception>
    public TraceLinks(IConfiguration configuration)
    {
        var text = configuration[Key];
        if (string.IsNullOrWhiteSpace(text))
            return;
        _dashboard = Uri.TryCreate(text, UriKind.Absolute, out var address) && address is { Scheme: "http" or "https" }
            ? address
            : throw new InvalidSettingException($"{Key} is '{text}' and must be the dashboard's http or https address, for example http://localhost:18888.");
    }

    /// <returns><see langword="null"/> if no dashboard is known or the bot has no trace.</returns>
    public Uri? Of(Bot bot) => _dashboard is not null && ActivityContext.TryParse(bot.TraceParent, traceState: null, out var trace)
        ? new(_dashboard, $"/traces/detail/{trace.TraceId}")
        : null;
}
