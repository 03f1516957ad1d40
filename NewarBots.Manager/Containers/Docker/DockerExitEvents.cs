using System.Globalization;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Docker.DotNet.Models;
using NewarBots.Contract;

namespace NewarBots.Manager.Containers.Docker;

/// <summary>Subscribes to the engine's events for exits of this stack's recorders.</summary>
internal sealed class DockerExitEvents(DockerEngine engine, DockerContainerLookup lookup, TimeProvider time)
{
    /// <summary>Tolerated difference between the engine's clock and ours. An exit that is reported twice does no harm.</summary>
    private static readonly TimeSpan ClockSkew = TimeSpan.FromSeconds(5);

    /// <inheritdoc cref="IRecorderRuntime.WatchExitsAsync"/>
    public IAsyncEnumerable<SessionId> WatchAsync(CancellationToken cancellation) =>
        // The start time is taken now, even if enumeration starts later: the engine keeps its latest events.
        FollowAsync(time.GetUtcNow() - ClockSkew, cancellation);

    private async IAsyncEnumerable<SessionId> FollowAsync(DateTimeOffset since, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var request = new ContainerEventsParameters
        {
            Since = since.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture),
            Filters = DockerContainerLookup.Filter(("type", "container"), ("event", "die"), ("label", await lookup.StackLabelAsync(cancellation))),
        };
        var exits = Channel.CreateUnbounded<SessionId>();
        using var abandoned = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var reading = ReadEventsAsync(request, exits.Writer, abandoned.Token);
        try
        {
            await foreach (var exit in exits.Reader.ReadAllAsync(cancellation))
                yield return exit;
        }
        finally
        {
            await abandoned.CancelAsync();
            await reading;
        }
    }

    private async Task ReadEventsAsync(ContainerEventsParameters request, ChannelWriter<SessionId> exits, CancellationToken cancellation)
    {
        try
        {
            await engine.FollowAsync(
                (docker, token) => docker.System.MonitorEventsAsync(
                    request,
                    new SynchronousProgress<Message>(message =>
                    {
                        if (lookup.Identify(message.Actor.ID, message.Actor.Attributes) is var (session, _))
                            exits.TryWrite(session);
                    }),
                    token),
                cancellation);
        }
        catch (Exception exception) when (exception is ContainerEngineException or OperationCanceledException)
        {
            exits.TryComplete(exception);
        }
    }
}

/// <summary>Calls its handler at once and in order, unlike <see cref="Progress{T}"/>.</summary>
internal sealed class SynchronousProgress<T>(Action<T> handler) : IProgress<T>
{
    public void Report(T value) => handler(value);
}
