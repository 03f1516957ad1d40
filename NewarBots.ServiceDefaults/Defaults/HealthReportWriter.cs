using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace NewarBots.ServiceDefaults;

/// <summary>
/// Writes the health report as JSON: <c>{"status", "checks": {name: {"status", "description"?}}}</c>, without exceptions and data.
/// Descriptions contain addresses and paths, so callers without the admin role get the status only.
/// </summary>
internal static class HealthReportWriter
{
    /// <summary>If this setting is <c>true</c>, all callers get the checks.</summary>
    private const string DetailsKey = "Health:Details";

    public static Task WriteAsync(HttpContext context, HealthReport report)
    {
        var status = Word(report.Status);
        return MaySeeDetails(context)
            ? context.Response.WriteAsJsonAsync(new
            {
                status,
                checks = report.Entries.ToDictionary(
                    entry => entry.Key,
                    entry => new { status = Word(entry.Value.Status), description = entry.Value.Description }),
            })
            : context.Response.WriteAsJsonAsync(new { status });
    }

    private static bool MaySeeDetails(HttpContext context) =>
        context.User.IsInRole(Roles.Admin) || context.RequestServices.GetRequiredService<IConfiguration>().GetValue<bool>(DetailsKey);

    private static string Word(HealthStatus status) => status.ToString().ToLowerInvariant();
}

public static class Roles
{
    /// <summary>May see details in health reports, and use the manager's endpoints for administrators.</summary>
    public const string Admin = "admin";
}
