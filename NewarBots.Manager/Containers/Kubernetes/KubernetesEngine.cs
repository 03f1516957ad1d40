using System.Net;
using System.Text.Json;
using k8s;
using k8s.Autorest;
using k8s.Models;
using Microsoft.Extensions.Options;

namespace NewarBots.Manager.Containers.Kubernetes;

/// <summary>
/// The connection to the Kubernetes API server. Every call has a timeout, and every failure becomes a <see cref="ContainerEngineException"/> that
/// names the server's address.
/// </summary>
internal sealed class KubernetesEngine : IDisposable
{
    public static readonly TimeSpan ShortTimeout = TimeSpan.FromSeconds(10);

    /// <summary>For logs and commands, which the API server passes to a node.</summary>
    public static readonly TimeSpan LongTimeout = TimeSpan.FromSeconds(60);

    private readonly k8s.Kubernetes _client;
    private readonly TimeProvider _time;

    /// <exception cref="ContainerEngineException">There is no usable configuration.</exception>
    public KubernetesEngine(IOptions<KubernetesOptions> options, TimeProvider time)
    {
        var configuration = Configuration(options.Value.KubeConfig);
        // Streams last as long as their bot; CallAsync keeps the time of everything else.
        configuration.HttpClientTimeout = Timeout.InfiniteTimeSpan;
        _client = new(configuration);
        _time = time;
        Address = configuration.Host;
        Namespace = options.Value.Namespace ?? (string.IsNullOrEmpty(configuration.Namespace) ? "default" : configuration.Namespace);
    }

    public string Address { get; }

    /// <summary>The namespace of the recorders.</summary>
    public string Namespace { get; }

    public void Dispose() => _client.Dispose();

    /// <summary>Whether the exception says that the pod, node or namespace does not exist.</summary>
    public static bool IsNotFound(HttpOperationException exception) => exception.Response?.StatusCode is HttpStatusCode.NotFound;

    public static bool IsConflict(HttpOperationException exception) => exception.Response?.StatusCode is HttpStatusCode.Conflict;

    public Task<T> CallAsync<T>(Func<IKubernetes, CancellationToken, Task<T>> call, CancellationToken cancellation) =>
        CallAsync(ShortTimeout, call, cancellation);

    /// <param name="timeout">For the whole call; infinite for streams.</param>
    /// <param name="call">One request or several.</param>
    /// <param name="cancellation">Cancels at once.</param>
    /// <exception cref="ContainerEngineException">No response within <paramref name="timeout"/>, or an error response.</exception>
    public async Task<T> CallAsync<T>(TimeSpan timeout, Func<IKubernetes, CancellationToken, Task<T>> call, CancellationToken cancellation)
    {
        using var expired = new CancellationTokenSource(timeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(expired.Token, cancellation);
        try
        {
            return await call(_client, either.Token).WaitAsync(either.Token);
        }
        catch (Exception exception) when (exception is not ContainerEngineException)
        {
            cancellation.ThrowIfCancellationRequested();
            throw expired.IsCancellationRequested ? Unreachable($"did not respond within {timeout.TotalSeconds:0} s", exception) : Translate(exception);
        }
    }

    public async Task CallAsync(TimeSpan timeout, Func<IKubernetes, CancellationToken, Task> call, CancellationToken cancellation) =>
        await CallAsync(
            timeout,
            async (client, token) =>
            {
                await call(client, token);
                return true;
            },
            cancellation);

    /// <summary>Changes of pods after a version. Ends when the server closes the connection.</summary>
    /// <param name="selector">The pods' labels.</param>
    /// <param name="version">The version of a list.</param>
    /// <param name="failed">Called for an error that the server reports within the stream.</param>
    /// <param name="cancellation">Ends the stream.</param>
    public IAsyncEnumerable<(WatchEventType Kind, V1Pod Pod)> Watch(
        string selector, string version, Action<Exception> failed, CancellationToken cancellation) =>
        _client.CoreV1.WatchListNamespacedPodAsync(
            Namespace, labelSelector: selector, resourceVersion: version, onError: failed, cancellationToken: cancellation);

    public ContainerEngineException Translate(Exception exception) => exception switch
    {
        ContainerEngineException known => known,
        // A quota has room again when another pod ends.
        HttpOperationException { Response.StatusCode: HttpStatusCode.Forbidden } quota when MessageOf(quota) is var why && why.Contains("exceeded quota", StringComparison.Ordinal) =>
            new($"The namespace {Namespace} has no room for another bot: {why}", ContainerEngineFailure.Unreachable, quota),
        HttpOperationException { Response.StatusCode: < HttpStatusCode.InternalServerError and not HttpStatusCode.TooManyRequests } refusal =>
            new($"Kubernetes refused: {MessageOf(refusal)}", ContainerEngineFailure.Refused, refusal),
        HttpOperationException { Response: not null } failure => new(
            $"Kubernetes at {Address} failed: {MessageOf(failure)}", ContainerEngineFailure.Unreachable, failure),
        _ => Unreachable($"is unreachable: {exception.GetBaseException().Message}", exception),
    };

    public ContainerEngineException Unreachable(string what, Exception? inner) =>
        new($"Kubernetes at {Address} {what.ReplaceLineEndings(" ")}.", ContainerEngineFailure.Unreachable, inner);

    private static KubernetesClientConfiguration Configuration(string? file)
    {
        try
        {
            return file is not null ? KubernetesClientConfiguration.BuildConfigFromConfigFile(file)
                : KubernetesClientConfiguration.IsInCluster() ? KubernetesClientConfiguration.InClusterConfig()
                : KubernetesClientConfiguration.BuildDefaultConfig();
        }
        catch (Exception exception) when (exception is k8s.Exceptions.KubeConfigException or IOException or YamlDotNet.Core.YamlException)
        {
            throw new ContainerEngineException(
                $"The configuration of Kubernetes cannot be read: {exception.Message} Check {KubernetesOptions.Section}:KubeConfig.",
                ContainerEngineFailure.Refused,
                exception);
        }
    }

    /// <summary>The server responds with a <c>Status</c> object; a proxy in front of it may not.</summary>
    private static string MessageOf(HttpOperationException exception)
    {
        var text = exception.Response?.Content ?? string.Empty;
        try
        {
            using var json = JsonDocument.Parse(text);
            text = json.RootElement.GetProperty("message").GetString() ?? text;
        }
        catch (Exception problem) when (problem is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            // Use the whole body as the message.
        }
        return $"{text.ReplaceLineEndings(" ").Trim()} ({(int?)exception.Response?.StatusCode})";
    }
}
