using System.Runtime.CompilerServices;
using System.Text.Json;
using Docker.DotNet;
using Microsoft.Extensions.Options;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Hosting;

namespace NewarBots.Manager.Containers.Docker;

/// <summary>
/// The connection to the Docker engine. Every question to it is bounded in time, and every failure becomes a
/// <see cref="ContainerEngineException"/> that names the engine's address. No API version is asked for, so that the engine
/// answers in its own.
/// </summary>
internal sealed class DockerEngine(IOptions<LaunchingOptions> options, BotMetrics metrics, TimeProvider time) : IDisposable
{
    /// <summary>How long an engine that works may take for a question that it has only to look up.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Making and starting containers queues inside the engine.</summary>
    public static readonly TimeSpan LongPatience = TimeSpan.FromSeconds(60);

    // The library's own timeout covers the sending only, and its connecting cannot be cancelled at all: time is kept here.
    private readonly DockerClient _client =
        new DockerClientConfiguration(new Uri(options.Value.DockerHost), defaultTimeout: Timeout.InfiniteTimeSpan).CreateClient();

    public string Address => options.Value.DockerHost;

    public void Dispose() => _client.Dispose();

    public Task<T> AskAsync<T>(
        Func<IDockerClient, CancellationToken, Task<T>> question, CancellationToken cancellation, [CallerMemberName] string operation = "") =>
        AskAsync(Patience, question, cancellation, operation);

    /// <param name="patience">How long the answer may take; without an end where it is read as it comes.</param>
    /// <param name="question">One request, or what takes several.</param>
    /// <param name="cancellation">Gives up at once.</param>
    /// <param name="operation">What the metrics call it: the method that asks.</param>
    /// <exception cref="ContainerEngineException">No answer within <paramref name="patience"/>, or an error for an answer.</exception>
    public async Task<T> AskAsync<T>(
        TimeSpan patience,
        Func<IDockerClient, CancellationToken, Task<T>> question,
        CancellationToken cancellation,
        [CallerMemberName] string operation = "")
    {
        var askedAt = time.GetTimestamp();
        try
        {
            var answer = await AskInTimeAsync(patience, question, cancellation);
            Measure(failure: null);
            return answer;
        }
        catch (ContainerEngineException exception)
        {
            Measure(exception);
            throw;
        }

        void Measure(Exception? failure)
        {
            // A log that is followed takes as long as its bot.
            if (patience != Timeout.InfiniteTimeSpan)
                metrics.AskedDocker(time.GetElapsedTime(askedAt), WordOf(operation), failure);
        }
    }

    private async Task<T> AskInTimeAsync<T>(
        TimeSpan patience, Func<IDockerClient, CancellationToken, Task<T>> question, CancellationToken cancellation)
    {
        using var timeout = new CancellationTokenSource(patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellation);
        try
        {
            return await question(_client, either.Token).WaitAsync(either.Token);
        }
        catch (Exception exception) when (exception is not ContainerEngineException)
        {
            // The library wraps a cancellation into a failed request.
            cancellation.ThrowIfCancellationRequested();
            throw timeout.IsCancellationRequested
                ? Unreachable($"does not answer within {patience.TotalSeconds:0} s", exception)
                : Translate(exception);
        }
    }

    public async Task AskAsync(
        TimeSpan patience,
        Func<IDockerClient, CancellationToken, Task> question,
        CancellationToken cancellation,
        [CallerMemberName] string operation = "") =>
        await AskAsync(
            patience,
            async (docker, token) =>
            {
                await question(docker, token);
                return true;
            },
            cancellation,
            operation);

    /// <summary>A request without an end, such as the engine's events. It always ends by an exception.</summary>
    public async Task FollowAsync(Func<IDockerClient, CancellationToken, Task> request, CancellationToken cancellation)
    {
        try
        {
            await request(_client, cancellation);
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
        $"The recorder's image {image} is not there. Build it: dotnet build NewarBots.Recorder -t:RecorderImage",
        ContainerEngineFailure.ImageMissing,
        inner);

    private static string WordOf(string operation) =>
        JsonNamingPolicy.SnakeCaseLower.ConvertName(operation.EndsWith("Async", StringComparison.Ordinal) ? operation[..^"Async".Length] : operation);

    private ContainerEngineException Translate(Exception exception) => exception switch
    {
        DockerApiException refusal => new($"Docker refused: {MessageOf(refusal)}", ContainerEngineFailure.Refused, refusal),
        _ => Unreachable($"cannot be reached: {exception.GetBaseException().Message}", exception),
    };

    private ContainerEngineException Unreachable(string what, Exception? inner) =>
        new($"Docker at {Address} {what.ReplaceLineEndings(" ")}.", ContainerEngineFailure.Unreachable, inner);

    /// <summary>The engine answers <c>{"message": "…"}</c>; whatever stands in front of it may not.</summary>
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
            // Then the text itself is the message.
        }
        return $"{text.ReplaceLineEndings(" ").Trim()} ({(int)exception.StatusCode})";
    }
}
