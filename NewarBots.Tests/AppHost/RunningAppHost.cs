using System.Diagnostics;
using System.Globalization;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging.Abstractions;
using NewarBots.Contract;
using NewarBots.Manager.Access;
using NewarBots.Tests.Access;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.AppHost;

/// <summary>The whole AppHost with the real orchestrator, its own Redis and storage folder, and a manager that requires keys.</summary>
internal sealed class RunningAppHost : IAsyncDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(15);

    private readonly string _stack = $"apphost-{SessionId.New(TimeProvider.System)}";
    private readonly DirectoryInfo _storage = Directory.CreateTempSubdirectory("newarbots-");
    private readonly CancellationTokenSource _timeout = new(Timeout, TimeProvider.System);

    private RunningAppHost()
    {
    }

    /// <summary>Calls the manager as an administrator.</summary>
    public HttpClient Http { get; } = new();

    public EngineProxy Engine { get; } = new();

    public string Storage => _storage.FullName;

    public DistributedApplication App { get; private set; } = null!;

    /// <summary>The start and all tests must end before.</summary>
    public CancellationToken Deadline => _timeout.Token;

    public Uri ManagerAddress => App.GetEndpoint("manager", "http");

    /// <summary>Starts it and waits until the manager is healthy.</summary>
    /// <param name="withDashboard">Whether the dashboard runs, too. It receives the telemetry.</param>
    public static async Task<RunningAppHost> StartAsync(bool withDashboard = false)
    {
        var host = new RunningAppHost();
        try
        {
            await host.RunAsync(withDashboard);
            return host;
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    /// <summary>Kills the manager and starts it again as soon as the orchestrator has noticed. Returns when the new one is healthy.</summary>
    public async Task RestartKilledManagerAsync()
    {
        var running = await App.ResourceNotifications.WaitForResourceAsync("manager", change => ProcessIdOf(change) is not null, Deadline);
        var id = ProcessIdOf(running)!.Value;
        using (var manager = Process.GetProcessById(id))
            manager.Kill(entireProcessTree: true);
        await App.ResourceNotifications.WaitForResourceAsync("manager", change => KnownResourceStates.TerminalStates.Contains(change.Snapshot.State?.Text), Deadline);
        var start = await App.ResourceCommands.ExecuteCommandAsync("manager", KnownResourceCommands.StartCommand, Deadline);
        Assert.True(start.Success, start.Message);
        // The snapshots of the killed manager may arrive late.
        await App.ResourceNotifications.WaitForResourceAsync(
            "manager", change => ProcessIdOf(change) is { } other && other != id && change.Snapshot.HealthStatus is HealthStatus.Healthy, Deadline);
    }

    public async ValueTask DisposeAsync()
    {
        if (App is not null)
            await App.DisposeAsync();
        await DockerCli.RemoveStackAsync(_stack);
        await Engine.DisposeAsync();
        Http.Dispose();
        _timeout.Dispose();
        _storage.Delete(recursive: true);
    }

    private async Task RunAsync(bool withDashboard)
    {
        var (key, secret) = KeyFileTests.Make("root", AccessRole.Admin);
        await new KeyFile(new(_storage.FullName), TimeProvider.System, NullLogger<KeyFile>.Instance).ChangeAsync(list => list.Add(key), Deadline);
        Http.DefaultRequestHeaders.Add("X-API-Key", secret.Text);
        var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.NewarBots_AppHost>(
            [$"--Parameters:storage-path={_storage.FullName}", $"--Parameters:manager-key={secret.Text}"],
            (options, _) => options.DisableDashboard = !withDashboard, Deadline);
        var redis = builder.CreateResourceBuilder(builder.Resources.OfType<RedisResource>().Single()).WithLifetime(ContainerLifetime.Session);
        redis.Resource.Annotations.Remove(redis.Resource.Annotations.OfType<ContainerMountAnnotation>().Single());
        redis.Resource.Annotations.Remove(redis.Resource.Annotations.OfType<ContainerNameAnnotation>().Single());
        redis.WithEndpoint("tcp", endpoint => endpoint.Port = null);
        builder.CreateResourceBuilder(builder.Resources.OfType<ProjectResource>().Single())
            .WithEnvironment("Launching__Stack", _stack)
            .WithEnvironment("Launching__DockerHost", Engine.Address)
            .WithEndpoint("http", endpoint => endpoint.Port = endpoint.TargetPort = TestPort.Next());
        App = await builder.BuildAsync(Deadline);
        await App.StartAsync(Deadline);
        await App.ResourceNotifications.WaitForResourceHealthyAsync("manager", Deadline);
    }

    /// <returns><see langword="null"/> unless the resource is running.</returns>
    private static int? ProcessIdOf(ResourceEvent resource) =>
        resource.Snapshot.State?.Text == KnownResourceStates.Running
        && resource.Snapshot.Properties.SingleOrDefault(property => property.Name == "executable.pid")?.Value is { } id
            ? int.Parse(id.ToString()!, CultureInfo.InvariantCulture)
            : null;
}
