using System.Text.Json;
using Microsoft.AspNetCore.Diagnostics;
using NewarBots.Manager.Api;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Hosting;

namespace NewarBots.Manager.Containers;

/// <summary>The engine was unreachable or refused a request. The message is one line for an operator.</summary>
internal sealed class ContainerEngineException(string message, ContainerEngineFailure failure, Exception? inner = null)
    : Exception(message, inner), IErrorType, IExplainedFailure
{
    public ContainerEngineFailure Failure { get; } = failure;

    public FailureCause Cause => Failure is ContainerEngineFailure.Unreachable ? FailureCause.Engine : FailureCause.Bot;

    public string Explanation => Failure switch
    {
        ContainerEngineFailure.Unreachable => "The container engine is unreachable.",
        // An operator's advice without paths.
        ContainerEngineFailure.ImageMissing => Message,
        _ => "The container engine refused the request; the manager's log has its answer.",
    };

    public string ErrorType => JsonNamingPolicy.SnakeCaseLower.ConvertName(Failure.ToString());
}

internal enum ContainerEngineFailure
{
    /// <summary>No response. A retry may succeed.</summary>
    Unreachable,

    /// <summary>The recorder image does not exist. The message has the command that builds it.</summary>
    ImageMissing,

    /// <summary>The engine responded with an error that a retry will not fix.</summary>
    Refused,
}

/// <summary>Responds with 503 if a request needs the container engine and the engine fails.</summary>
internal sealed partial class ContainerEngineExceptionHandler(ILogger<ContainerEngineExceptionHandler> logger) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        if (exception is not ContainerEngineException failure)
            return false;
        Log.RequestFailed(logger, httpContext.Request.Method, httpContext.Request.Path, failure.Message);
        httpContext.Response.Headers.RetryAfter = ApiRegistration.RetryAfterSeconds;
        await ApiProblems.EngineUnavailable(failure.Explanation).ExecuteAsync(httpContext);
        return true;
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "{Method} {Path} got 503, because the container engine failed: {Error}")]
        public static partial void RequestFailed(ILogger logger, string method, string path, string error);
    }
}
