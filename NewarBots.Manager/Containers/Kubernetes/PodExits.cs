using System.Runtime.CompilerServices;
using k8s;
using k8s.Models;
using NewarBots.Contract;

namespace NewarBots.Manager.Containers.Kubernetes;

/// <summary>
/// Watches for exits of this stack's recorders. The API server closes a watch after some minutes; a new list then finds the exits in between.
/// </summary>
internal sealed class PodExits(KubernetesEngine engine, PodLookup lookup, TimeProvider time)
{
    /// <summary>Tolerated difference between a node's clock and ours. An exit that is reported twice does no harm.</summary>
    private static readonly TimeSpan ClockSkew = TimeSpan.FromSeconds(5);

    /// <inheritdoc cref="IRecorderRuntime.WatchExitsAsync"/>
    public IAsyncEnumerable<SessionId> WatchAsync(CancellationToken cancellation) =>
        // The start time is taken now, even if enumeration starts later: pods keep the time of their exit.
        FollowAsync(time.GetUtcNow() - ClockSkew, cancellation);

    private async IAsyncEnumerable<SessionId> FollowAsync(DateTimeOffset since, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var seen = new SeenPods(lookup.Identify, since);
        while (true)
        {
            var pods = await lookup.ListPodsAsync(cancellation);
            foreach (var id in seen.Listed(pods.Items))
                yield return id;

            await foreach (var (kind, pod) in Changes(pods.Metadata.ResourceVersion, cancellation))
            {
                if (seen.Changed(kind, pod) is { } id)
                    yield return id;
            }
        }
    }

    /// <summary>Ends when the server closes the connection in order, and otherwise with a <see cref="ContainerEngineException"/>.</summary>
    private async IAsyncEnumerable<(WatchEventType Kind, V1Pod Pod)> Changes(string version, [EnumeratorCancellation] CancellationToken cancellation)
    {
        // The library reports errors within the stream, such as a version that is too old, to this callback only, and continues.
        Exception? error = null;
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        await using var changes = engine.Watch(
            lookup.Selector,
            version,
            exception =>
            {
                error = exception;
                ended.Cancel();
            },
            ended.Token).GetAsyncEnumerator(ended.Token);
        while (true)
        {
            try
            {
                if (!await changes.MoveNextAsync())
                    yield break;
            }
            catch (Exception exception)
            {
                cancellation.ThrowIfCancellationRequested();
                throw engine.Translate(error ?? exception);
            }
            yield return changes.Current;
        }
    }
}

/// <summary>Tells which pods have exited since they were last seen.</summary>
/// <param name="identify">The pod's bot; <see langword="null"/> if it is none.</param>
/// <param name="since">Pods that had exited before are not reported when they are seen for the first time.</param>
internal sealed class SeenPods(Func<V1Pod, SessionId?> identify, DateTimeOffset since)
{
    private readonly HashSet<SessionId> _live = [];
    private readonly HashSet<SessionId> _reported = [];

    /// <param name="pods">All pods that exist.</param>
    public IReadOnlyList<SessionId> Listed(IEnumerable<V1Pod> pods)
    {
        var exits = new List<SessionId>();
        var present = new HashSet<SessionId>();
        foreach (var pod in pods)
        {
            if (identify(pod) is not { } id)
                continue;
            present.Add(id);
            if (HasExited(id, pod))
                exits.Add(id);
        }

        // Pods that were deleted in the meantime.
        exits.AddRange(_live.Except(present));
        _live.IntersectWith(present);
        _reported.IntersectWith(present);
        return exits;
    }

    /// <returns>The bot that has exited; <see langword="null"/> if the change is another.</returns>
    public SessionId? Changed(WatchEventType kind, V1Pod pod)
    {
        if (identify(pod) is not { } id)
            return null;
        if (kind is not WatchEventType.Deleted)
            return HasExited(id, pod) ? id : null;
        _live.Remove(id);
        return _reported.Remove(id) ? null : id;
    }

    private bool HasExited(SessionId id, V1Pod pod)
    {
        if (!PodReading.HasExited(pod))
        {
            _live.Add(id);
            return false;
        }
        var isNews = _live.Remove(id) || PodReading.FinishedAt(pod) >= since;
        return _reported.Add(id) && isNews;
    }
}
