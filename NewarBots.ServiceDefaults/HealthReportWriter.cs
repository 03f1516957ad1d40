using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace NewarBots.ServiceDefaults;

/// <summary>The health report as JSON: <c>{"status", "checks": {name: {"status", "description"?}}}</c>. No exceptions, no data.</summary>
internal static class HealthReportWriter
{
    public static Task WriteAsync(HttpContext context, HealthReport report) =>
        context.Response.WriteAsJsonAsync(new
        {
            status = Word(report.Status),
            checks = report.Entries.ToDictionary(
                entry => entry.Key,
                entry => new { status = Word(entry.Value.Status), description = entry.Value.Description }),
        });

    private static string Word(HealthStatus status) => status.ToString().ToLowerInvariant();
}
