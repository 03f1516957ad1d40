using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace NewarBots.ServiceDefaults;

/// <summary>
/// The health report as JSON: <c>{"status", "checks": {name: {"status", "description"?}}}</c>. No exceptions, no data; to
/// whoever is no admin, and is to know no addresses and no paths, the status alone.
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

    private static bool IsStranger(HttpContext context) =>
        !context.User.IsInRole(Roles.Admin) && !context.RequestServices.GetRequiredService<IConfiguration>().GetValue<bool>(DetailsKey);

    private static string Word(HealthStatus status) => status.ToString().ToLowerInvariant();
}
