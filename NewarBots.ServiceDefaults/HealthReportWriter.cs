using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace NewarBots.ServiceDefaults;

/// <summary>
/// The health report as JSON: <c>{"status", "checks": {name: {"status", "description"?}}}</c>. No exceptions, no data; to
/// strangers, who are told no addresses and no paths, the status alone.
/// </summary>
internal static class HealthReportWriter
{
    /// <summary>Set to <c>true</c>, everybody may know what is wrong.</summary>
    private const string DetailsKey = "Health:Details";

    public static Task WriteAsync(HttpContext context, HealthReport report)
    {
        var status = Word(report.Status);
        return IsStranger(context)
            ? context.Response.WriteAsJsonAsync(new { status })
            : context.Response.WriteAsJsonAsync(new
            {
                status,
                checks = report.Entries.ToDictionary(
                    entry => entry.Key,
                    entry => new { status = Word(entry.Value.Status), description = entry.Value.Description }),
            });
    }

    /// <summary>Whoever is not on this machine, or comes through a proxy that is.</summary>
    private static bool IsStranger(HttpContext context) =>
        !context.RequestServices.GetRequiredService<IConfiguration>().GetValue<bool>(DetailsKey)
        && (context.Connection.RemoteIpAddress is not { } address
            || !IPAddress.IsLoopback(address)
            || !IsThisMachine(context.Request.Host.Host)
            || ForwardedHeaders.Any(context.Request.Headers.ContainsKey));

    private static bool IsThisMachine(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address));

    private static readonly string[] ForwardedHeaders = ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP"];

    private static string Word(HealthStatus status) => status.ToString().ToLowerInvariant();
}
