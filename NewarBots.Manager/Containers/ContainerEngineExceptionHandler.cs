using Microsoft.AspNetCore.Diagnostics;
using NewarBots.Manager.Api;

namespace NewarBots.Manager.Containers;

/// <summary>Answers 503 when a request needs the container engine and the engine does not answer.</summary>
internal sealed class ContainerEngineExceptionHandler : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        if (exception is not ContainerEngineException)
            return false;
        httpContext.Response.Headers.RetryAfter = ApiRegistration.RetryAfterSeconds;
        await ApiProblems.EngineUnavailable(exception.Message).ExecuteAsync(httpContext);
        return true;
    }
}
