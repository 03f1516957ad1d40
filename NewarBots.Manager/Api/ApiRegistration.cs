using Microsoft.AspNetCore.Diagnostics;
using NewarBots.Manager.Hosting;

namespace NewarBots.Manager.Api;

internal static class ApiRegistration
{
    /// <summary>Redis or the engine is usually back within seconds.</summary>
    public const string RetryAfterSeconds = "5";

    /// <summary>Many times what callers and followers need. So many idle connections cost some hundred megabytes.</summary>
    private const int MaxConnections = 10_000;

    private static readonly TimeSpan RequestHeadersTimeout = TimeSpan.FromSeconds(10);

    private const string DefaultUrl = "http://localhost:8082";

    /// <summary>The server's address and limits, JSON, routes by session id, and problem details.</summary>
    public static WebApplicationBuilder AddApi(this WebApplicationBuilder builder)
    {
        if (builder.Configuration[WebHostDefaults.ServerUrlsKey] is null && builder.Configuration["HTTP_PORTS"] is null)
            builder.WebHost.UseUrls(DefaultUrl);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            // A body that is too long is refused by the endpoint, with a problem that names the limit; what it leaves is not read on.
            kestrel.Limits.MaxRequestBodySize = 2 * RequestBody.MaxBytes;
            kestrel.Limits.RequestHeadersTimeout = RequestHeadersTimeout;
            kestrel.Limits.MaxConcurrentConnections = MaxConnections;
        });

        builder.Services.AddRouting(options => options.ConstraintMap.Add(SessionIdConstraint.Name, typeof(SessionIdConstraint)));
        builder.Services.ConfigureHttpJsonOptions(options =>
            options.SerializerOptions.DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull);
        builder.Services.AddProblemDetails(options => options.CustomizeProblemDetails = GiveType);
        return builder;
    }

    /// <summary>Every error, wherever it comes from, leaves as problem details; Redis or the engine being away as 503.</summary>
    public static WebApplication UseProblemDetails(this WebApplication app)
    {
        app.UseExceptionHandler(new ExceptionHandlerOptions { ExceptionHandler = AnswerAsync, SuppressDiagnosticsCallback = IsCallersFault });
        app.UseStatusCodePages();
        app.Use(LeaveUnsatisfiableRangesEmptyAsync);
        return app;

        static Task AnswerAsync(HttpContext context)
        {
            var problem = context.Features.Get<IExceptionHandlerFeature>()?.Error switch
            {
                BadHttpRequestException error => ApiProblems.Unreadable(error),
                { } error when error.IsRedisUnavailable() => ApiProblems.StoreUnavailable(),
                _ => ApiProblems.InternalError(),
            };
            if (problem.StatusCode is StatusCodes.Status503ServiceUnavailable)
                context.Response.Headers.RetryAfter = RetryAfterSeconds;
            return problem.ExecuteAsync(context);
        }

        // The framework says of which type and how long no body is, which is then taken for an answer that is there.
        static async Task LeaveUnsatisfiableRangesEmptyAsync(HttpContext context, RequestDelegate next)
        {
            await next(context);
            if (context.Response is not { StatusCode: StatusCodes.Status416RangeNotSatisfiable, HasStarted: false } response)
                return;
            response.ContentLength = null;
            response.ContentType = null;
            response.Headers.ContentDisposition = default;
        }

        // Nothing that the manager's own log has to tell of.
        static bool IsCallersFault(ExceptionHandlerSuppressDiagnosticsContext context) => context.Exception is BadHttpRequestException;
    }

    /// <summary>What the framework refuses by itself has a type of ours too, and says what to do.</summary>
    private static void GiveType(ProblemDetailsContext context)
    {
        var problem = context.ProblemDetails;
        if (problem.Type?.StartsWith(ProblemType.UriPrefix, StringComparison.Ordinal) is true || ProblemTypes.OfFramework(problem.Status) is not { } type)
            return;
        problem.Type = type.Uri;
        problem.Title = type.Title;
        problem.Detail ??= type.WhatToDo;
    }
}
