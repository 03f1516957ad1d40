using k8s;
using k8s.Models;
using NewarBots.Contract;
using NewarBots.Manager.Containers.Kubernetes;

namespace NewarBots.Tests.Containers.Kubernetes;

public sealed class SeenPodsTests
{
    private static readonly SessionId Bot = SessionId.Parse("0193a0");

    private readonly SeenPods _seen = new(pod => PodReading.Identify(pod)?.Id, since: new DateTimeOffset(PodStatuses.Noon));

    [Fact]
    public void An_exit_is_reported_once()
    {
        Assert.Empty(_seen.Listed([Running]));

        Assert.Equal(Bot, _seen.Changed(WatchEventType.Modified, Exited));

        Assert.Null(_seen.Changed(WatchEventType.Modified, Exited));
        Assert.Null(_seen.Changed(WatchEventType.Deleted, Exited));
        Assert.Empty(_seen.Listed([]));
    }

    [Fact]
    public void Exits_between_two_watches_are_found_in_the_next_list()
    {
        _seen.Listed([Running]);

        Assert.Equal([Bot], _seen.Listed([Exited]));
        Assert.Empty(_seen.Listed([Exited]));
    }

    [Fact]
    public void A_pod_that_is_deleted_while_it_runs_has_exited()
    {
        _seen.Listed([Running]);
        Assert.Equal(Bot, _seen.Changed(WatchEventType.Deleted, Running));

        _seen.Changed(WatchEventType.Added, Running);
        Assert.Equal([Bot], _seen.Listed([]));
    }

    [Fact]
    public void Pods_that_had_exited_before_the_call_are_not_reported()
    {
        Assert.Empty(_seen.Listed([PodReadingTests.Pod(PodStatuses.Exited(0, at: PodStatuses.Noon.AddSeconds(-1)))]));
    }

    [Fact]
    public void A_pod_that_started_and_exited_within_one_watch_is_reported()
    {
        _seen.Listed([]);

        Assert.Equal(Bot, _seen.Changed(WatchEventType.Added, Exited));
    }

    private static V1Pod Running => PodReadingTests.Pod(PodStatuses.Running());

    private static V1Pod Exited => PodReadingTests.Pod(PodStatuses.Exited(0));
}
