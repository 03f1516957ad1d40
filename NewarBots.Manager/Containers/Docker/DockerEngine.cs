using System.Runtime.CompilerServices;
using System.Text.Json;
using Docker.DotNet;
using Microsoft.Extensions.Options;
using NewarBots.Manager.Bots;

namespace NewarBots.Manager.Containers.Docker;

/// <summary>
/// The connection to the Docker engine. Every call has a timeout, and every failure becomes a <see cref="ContainerEngineException"/> that
/// names the engine's address. Requests name no API version, so that the engine uses its own.
/// </summary>
internal sealed class DockerEngine(IOptions<LaunchingOptions> options, BotMetrics metrics, TimeProvider time) : IDisposable
{
    /// <summary>For lookups.</summary>
    public static readonly TimeSpan ShortTimeout = TimeSpan.FromSeconds(10);

    /// <summary>For creating, starting and removing containers, which queue inside the engine.</summary>
    public static readonly TimeSpan LongTimeout = TimeSpan.FromSeconds(60);

    // The library's own timeout covers only sending, and its connect cannot be cancelled. CallWithTimeoutAsync keeps the time instead.
    private readonly DockerClient _client =
        new DockerClientConfiguration(new Uri(options.Value.DockerHost), defaultTimeout: Timeout.InfiniteTimeSpan).CreateClient();

    public string Address => options.Value.DockerHost;

    public void Dispose() => _client.Dispose();

    public Task<T> CallAsync<T>(
        Func<IDockerClient, CancellationToken, Task<T>> call, CancellationToken cancellation, [CallerMemberName] string operation = "") =>
        CallAsync(ShortTimeout, call, cancellation, operation);

    /// <param name="timeout">For the whole call; infinite for streams.</param>
    /// <param name="call">One request or several.</param>
    /// <param name="cancellation">Cancels at once.</param>
    /// <param name="operation">The metrics' name for it: the calling method.</param>
    /// <exception cref="ContainerEngineException">No response within <paramref name="timeout"/>, or an error response.</exception>
    public async Task<T> CallAsync<T>(
        TimeSpan timeout,
        Func<IDockerClient, CancellationToken, Task<T>> call,
        CancellationToken cancellation,
        [CallerMemberName] string operation = "")
    {
        var startedAt = time.GetTimestamp();
        try
        {
            var result = await CallWithTimeoutAsync(timeout, call, cancellation);
            Measure(failure: null);
            return result;
        }
        catch (ContainerEngineException exception)
        {
            Measure(exception);
            throw;
        }

        void Measure(Exception? failure)
        {
            // Streams last as long as their bot.
            if (timeout != Timeout.InfiniteTimeSpan)
                metrics.AskedDocker(time.GetElapsedTime(startedAt), SnakeCase(operation), failure);
        }
    }

    private async Task<T> CallWithTimeoutAsync<T>(
        TimeSpan timeout, Func<IDockerClient, CancellationToken, Task<T>> call, CancellationToken cancellation)
    {
        using var expired = new CancellationTokenSource(timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(expired.Token, cancellation);
        try
        {
            return await call(_client, either.Token).WaitAsync(either.Token);
        }
        catch (Exception exception) when (exception is not ContainerEngineException)
        {
            // The library reports a cancellation as a failed request.
            cancellation.ThrowIfCancellationRequested();
            throw expired.IsCancellationRequested
                ? Unreachable($"did not respond within {timeout.TotalSeconds:0} s", exception)
                : Translate(exception);
        }
    }

    public async Task CallAsync(
        TimeSpan timeout,
        Func<IDockerClient, CancellationToken, Task> call,
        CancellationToken cancellation,
        [CallerMemberName] string operation = "") =>
        await CallAsync(
            timeout,
            async (docker, token) =>
            {
                await call(docker, token);
                return true;
            },
            cancellation,
            operation);

    /// <summary>Runs an endless request, such as the engine's events. It always ends with an exception.</summary>
    public async Task FollowAsync(Func<IDockerClient, CancellationToken, Task> request, CancellationToken cancellation)
    {
        try
        {
            await request(_client, cancellation).WaitAsync(cancellation);
        }
        catch (Exception exception)
        {
            cancellation.ThrowIfCancellationRequested();
            throw Translate(exception);
        }
        cancellation.ThrowIfCancellationRequested();
        throw Unreachable("closed the connection", inner: null);
    }

    public static ContainerEngineException ImageMissing(string image, Exception inner) => new(
        $"The recorder image {image} does not exist. Build it: eng/image recorder",
        ContainerEngineFailure.ImageMissing,
        inner);

    private static string SnakeCase(string operation) =>
        JsonNamingPolicy.SnakeCaseLower.ConvertName(operation.EndsWith("Async", StringComparison.Ordinal) ? operation[..^"Async".Length] : operation);

    private ContainerEngineException Translate(Exception exception) => exception switch
    {
        DockerApiException refusal => new($"Docker refused: {MessageOf(refusal)}", ContainerEngineFailure.Refused, refusal),
        _ => Unreachable($"is unreachable: {exception.GetBaseException().Message}", exception),
    };

    private ContainerEngineException Unreachable(string what, Exception? inner) =>
        new($"Docker at {Address} {what.ReplaceLineEndings(" ")}.", ContainerEngineFailure.Unreachable, inner);

    /// <summary>The engine responds with <c>{"message": "…"}</c>; a proxy in front of it may not.</summary>
    private static string MessageOf(DockerApiException exception)
    {
        var text = exception.ResponseBody ?? string.Empty;
        try
        {
            using var json = JsonDocument.Parse(text);
            text = json.RootElement.GetProperty("message").GetString() ?? text;
        }
        catch (Exception problem) when (problem is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            // Use the whole body as the message.
        }
        return $"{text.ReplaceLineEndings(" ").Trim()} ({(int)exception.StatusCode})";
    }
}
