using Microsoft.Extensions.Hosting;

namespace NewarBots.AppHost;

/// <summary>
/// A background service that starts before the orchestrator. The start of the orchestrator, and of all services after it, ends only when all
/// resources have been created.
/// </summary>
internal abstract class EarlyService : BackgroundService, IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken) => base.StartAsync(cancellationToken);

    public override Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
