using Microsoft.AspNetCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Bots.Describing;
using NewarBots.Manager.Bots.Events;
using NewarBots.Manager.Launching;
using NewarBots.Manager.Rehearsing;
using NewarBots.Manager.Telemetry;
using NewarBots.Manager.Webhooks;

namespace NewarBots.Manager.Bots;

internal static class BotsRegistration
{
    /// <summary>What is away is looked for all the time, and mostly back within seconds.</summary>
    private const string RetryAfterSeconds = "5";

    /// <summary>Many times what callers and those who look on need; so many that say nothing cost some hundred megabytes.</summary>
    private const int MaxConnections = 10_000;

    private static readonly TimeSpan RequestHeadersTimeout = TimeSpan.FromSeconds(10);

    private const string DefaultUrl = "http://localhost:8082";

    /// <summary>The API of bots with its records, its limits and its address.</summary>
    public static WebApplicationBuilder AddBots(this WebApplicationBuilder builder)
    {
        if (builder.Configuration[WebHostDefaults.ServerUrlsKey] is null && builder.Configuration["HTTP_PORTS"] is null)
            builder.WebHost.UseUrls(DefaultUrl);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            // A body that is too long is refused by the endpoint, with a problem that names the limit; what it leaves is not read on.
            kestrel.Limits.MaxRequestBodySize = 2 * BotEndpoints.MaxBodyBytes;
            kestrel.Limits.RequestHeadersTimeout = RequestHeadersTimeout;
            kestrel.Limits.MaxConcurrentConnections = MaxConnections;
        });

        builder.Services.AddOptions<StorageOptions>().BindConfiguration(StorageOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        builder.Services.AddOptions<MeetingOptions>().BindConfiguration(MeetingOptions.Section);
        builder.Services.AddSingleton(services => new StorageLayout(services.GetRequiredService<IOptions<StorageOptions>>().Value.Path));
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.TryAddSingleton<BotMetrics>();
        builder.Services.AddSingleton<WebhookFiles>();
        builder.Services.AddSingleton<WebhookOutbox>();
        builder.Services.AddSingleton<BotStore>();
        builder.Services.AddSingleton<Loops>();
        builder.Services.AddHealthChecks().AddCheck<LoopsHealthCheck>("loops");
        builder.Services.AddSingleton<BotLeases>();
        builder.Services.AddSingleton<BotNews>();
        builder.Services.AddSingleton<BotEvents>();
        builder.Services.AddSingleton<MeetingUrlPolicy>();
        builder.Services.AddRouting(options => options.ConstraintMap.Add(SessionIdConstraint.Name, typeof(SessionIdConstraint)));
        builder.Services.ConfigureHttpJsonOptions(options =>
            options.SerializerOptions.DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull);
        builder.Services.AddProblemDetails(options => options.CustomizeProblemDetails = GiveType);
        builder.Services.AddApiDescription();
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
                BadHttpRequestException error => BotProblems.Unreadable(error),
                ForeignRedisValueException error => BotProblems.StoreDamaged(error.Message),
                { } error when error.IsRedisAway() => BotProblems.StoreUnavailable(),
                ContainerEngineException error => BotProblems.EngineUnavailable(error.Message),
                _ => BotProblems.InternalError(),
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

    /// <summary>
    /// A bot's container reaches this machine's loopback by the relay, and the manager with it. It is shown the meeting that it
    /// came for, and nothing of the API.
    /// </summary>
    public static WebApplication UseRelayedRequestLimit(this WebApplication app)
    {
        app.Use((context, next) =>
            context.IsRelayed() && !context.Request.Path.StartsWithSegments(RehearsalOptions.Path, StringComparison.Ordinal)
                ? BotProblems.NoSuchCall().ExecuteAsync(context)
                : next(context));
        return app;
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
