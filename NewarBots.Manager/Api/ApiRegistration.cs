using System.Net;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Diagnostics;
using NewarBots.Contract;
using NewarBots.Manager.Api.OpenApi;
using NewarBots.Manager.Hosting;
using NewarBots.ServiceDefaults;

namespace NewarBots.Manager.Api;

internal static class ApiRegistration
{
    /// <summary>Redis and the container engine are usually back within seconds.</summary>
    public const string RetryAfterSeconds = "5";

    /// <summary>Far more than callers and event streams need. This many idle connections take a few hundred megabytes.</summary>
    private const int MaxConnections = 10_000;

    private static readonly TimeSpan RequestHeadersTimeout = TimeSpan.FromSeconds(10);

    private const string DefaultUrl = "http://localhost:8082";

    /// <summary>Adds the server's address and limits, JSON, the session id route constraint, problem details and the OpenAPI document.</summary>
    /// <exception cref="InvalidSettingException">An address of <c>ASPNETCORE_URLS</c> is invalid.</exception>
    public static WebApplicationBuilder AddApi(this WebApplicationBuilder builder)
    {
        var urls = builder.Configuration[WebHostDefaults.ServerUrlsKey];
        if (urls is null && builder.Configuration["HTTP_PORTS"] is null)
            builder.WebHost.UseUrls(DefaultUrl);
        RequireValidUrls(urls);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            // Endpoints reject long bodies earlier, with a problem that names the limit.
            kestrel.Limits.MaxRequestBodySize = 2 * RequestBody.MaxBytes;
            kestrel.Limits.RequestHeadersTimeout = RequestHeadersTimeout;
            kestrel.Limits.MaxConcurrentConnections = MaxConnections;
        });

        builder.Services.AddRouting(options => options.ConstraintMap.Add(SessionIdConstraint.Name, typeof(SessionIdConstraint)));
        builder.Services.ConfigureHttpJsonOptions(options =>
        {
            options.SerializerOptions.DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull;
            options.SerializerOptions.NumberHandling = JsonNumberHandling.Strict;
        });
        builder.Services.AddProblemDetails(options => options.CustomizeProblemDetails = SetType);
        builder.Services.AddApiDescription();
        return builder;
    }

    /// <summary>The server itself would report an invalid address only after the background loops have started.</summary>
    /// <exception cref="InvalidSettingException">An address is invalid.</exception>
    private static void RequireValidUrls(string? urls)
    {
        foreach (var url in (urls ?? string.Empty).Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            try
            {
                if (BindingAddress.Parse(url) is { Scheme: "http" or "https" } address && (address.IsUnixPipe || (address.Port <= IPEndPoint.MaxPort && HasPort(address))))
                    continue;
            }
            catch (FormatException)
            {
                // Reported below.
            }
            throw new InvalidSettingException($"ASPNETCORE_URLS must be addresses separated by ';', for example http://127.0.0.1:8082 (one of them is '{url}').");
        }
    }

    /// <summary>The parser takes a port that is no number for a part of the host, and the server then listens on all addresses.</summary>
    private static bool HasPort(BindingAddress address) => address.Host.StartsWith('[') || !address.Host.Contains(':', StringComparison.Ordinal);

    /// <summary>Turns every error into problem details; an unavailable Redis or engine into 503.</summary>
    public static WebApplication UseProblemDetails(this WebApplication app)
    {
        app.UseExceptionHandler(new ExceptionHandlerOptions { ExceptionHandler = HandleAsync, SuppressDiagnosticsCallback = IsClientError });
        app.UseStatusCodePages();
        app.Use(ClearUnsatisfiableRangeAsync);
        return app;

        static Task HandleAsync(HttpContext context)
        {
            var problem = context.Features.Get<IExceptionHandlerFeature>()?.Error switch
            {
                BadHttpRequestException error => ApiProblems.UnreadableBody(error),
                LockTimeoutException => ApiProblems.Problem(ProblemTypes.ManagerBusy, ProblemTypes.ManagerBusy.Advice),
                { } error when error.IsRedisUnavailable() => ApiProblems.StoreUnavailable(error.DescribeRejectedWrite()),
                _ => ApiProblems.InternalError(),
            };
            if (problem.StatusCode is StatusCodes.Status503ServiceUnavailable)
                context.Response.Headers.RetryAfter = RetryAfterSeconds;
            return problem.ExecuteAsync(context);
        }

        // ASP.NET Core sets headers for a body that it does not send. With them, no problem details would be written.
        static async Task ClearUnsatisfiableRangeAsync(HttpContext context, RequestDelegate next)
        {
            await next(context);
            if (context.Response is not { StatusCode: StatusCodes.Status416RangeNotSatisfiable, HasStarted: false } response)
                return;
            response.ContentLength = null;
            response.ContentType = null;
            response.Headers.ContentDisposition = default;
        }

        // Client errors do not belong in the manager's log.
        static bool IsClientError(ExceptionHandlerSuppressDiagnosticsContext context) => context.Exception is BadHttpRequestException;
    }

    /// <summary>Gives errors of ASP.NET Core a problem type of this API.</summary>
    private static void SetType(ProblemDetailsContext context)
    {
        var problem = context.ProblemDetails;
        if (problem.Type?.StartsWith(ProblemType.UriPrefix, StringComparison.Ordinal) is true || ProblemTypes.ForStatus(problem.Status) is not { } type)
            return;
        problem.Type = type.Uri;
        problem.Title = type.Title;
        problem.Detail ??= type.Advice;
    }
}

/// <summary>Matches only session ids, so that requests with any other id get 404.</summary>
internal sealed class SessionIdConstraint : IRouteConstraint
{
    public const string Name = "sessionId";

    public bool Match(
        HttpContext? httpContext, IRouter? route, string routeKey, RouteValueDictionary values, RouteDirection routeDirection) =>
        SessionId.TryParse(values[routeKey]?.ToString(), provider: null, out _);
}
