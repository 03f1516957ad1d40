using CliWrap;
using CliWrap.Buffered;
using k8s;
using k8s.Models;
using NewarBots.Tests.Fixtures;

[assembly: AssemblyFixture(typeof(KubernetesServer))]

namespace NewarBots.Tests.Fixtures;

/// <summary>
/// A real Kubernetes API server with etcd, started by the first test that needs it. It has no nodes: tests write the nodes and the pods' status.
/// Tests are skipped with a reason if it was not built (<c>eng/kubernetes build</c>).
/// </summary>
public sealed class KubernetesServer : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("newarbots-kubernetes-").FullName;
    private readonly SemaphoreSlim _starting = new(1);
    private k8s.Kubernetes? _client;
    private string? _skipReason;

    public string KubeConfig => Path.Combine(_folder, "kubeconfig");

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <summary>Starts the server, or skips the test.</summary>
    /// <returns>A client with all rights.</returns>
    internal async Task<IKubernetes> RequireAsync()
    {
        await _starting.WaitAsync();
        try
        {
            if (_client is null && _skipReason is null)
                await StartAsync();
        }
        finally
        {
            _starting.Release();
        }
        Assert.SkipWhen(_skipReason is not null, _skipReason ?? string.Empty);
        return _client!;
    }

    /// <summary>Creates a namespace, so that tests do not see each other's pods.</summary>
    internal async Task<string> CreateNamespaceAsync()
    {
        var client = await RequireAsync();
        return (await client.CoreV1.CreateNamespaceAsync(new V1Namespace { Metadata = new() { GenerateName = "test-" } })).Name();
    }

    /// <summary>Runs <c>kubectl</c>.</summary>
    internal async Task<BufferedCommandResult> KubectlAsync(params string[] arguments) =>
        await Script(["kubectl", _folder, .. arguments]).WithValidation(CommandResultValidation.None).ExecuteBufferedAsync();

    public async ValueTask DisposeAsync()
    {
        _client?.Dispose();
        await Script(["stop", _folder]).ExecuteAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task StartAsync()
    {
        var check = await Script(["check"]).WithValidation(CommandResultValidation.None).ExecuteBufferedAsync();
        if (check.ExitCode != 0)
        {
            _skipReason = check.StandardOutput.Trim();
            return;
        }
        var start = await Script(["start", _folder]).WithValidation(CommandResultValidation.None).ExecuteBufferedAsync();
        Assert.True(start.ExitCode == 0, start.StandardError);
        _client = new k8s.Kubernetes(KubernetesClientConfiguration.BuildConfigFromConfigFile(KubeConfig));
    }

    private static Command Script(string[] arguments) => Cli.Wrap(Repository.PathOf("eng", "kubernetes")).WithArguments(arguments);
}
