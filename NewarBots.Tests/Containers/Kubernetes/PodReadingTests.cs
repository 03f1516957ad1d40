using k8s.Models;
using NewarBots.Contract;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Containers.Kubernetes;

namespace NewarBots.Tests.Containers.Kubernetes;

public sealed class PodReadingTests
{
    private static readonly V1Node Ready = Node(isReady: true);

    [Fact]
    public void A_running_pod_on_a_ready_node_runs()
    {
        var read = Read(Pod(PodStatuses.Running()), Ready);

        Assert.Equal(new RecorderContainer(SessionId.Parse("0193a0"), UserId.Parse("-anna_"), RecorderContainerState.Running), read);
    }

    [Fact]
    public void The_state_of_a_running_pod_is_unknown_while_its_node_is_not_ready_or_gone()
    {
        var pod = Pod(PodStatuses.Running());

        Assert.Equal(
            (RecorderContainerState.Unknown, "The node n1 is not ready: Kubelet stopped posting node status."),
            StateOf(Read(pod, Node(isReady: false))));
        Assert.Equal((RecorderContainerState.Unknown, "The node n1 does not exist anymore."), StateOf(Read(pod, node: null)));
    }

    [Fact]
    public void An_exit_stands_whatever_the_state_of_the_node()
    {
        var exit = Read(Pod(PodStatuses.Exited(143, "Error")), Node(isReady: false))!.Exit!;

        Assert.Equal((143L, false, null), (exit.ExitCode, exit.OutOfMemory, exit.Interruption));
        Assert.Equal(TimeSpan.FromMinutes(5), exit.RanFor);
        Assert.Equal(PodStatuses.Noon.AddMinutes(5), exit.FinishedAt.UtcDateTime);
    }

    [Fact]
    public void A_container_that_reached_its_memory_limit_is_told()
    {
        Assert.True(Read(Pod(PodStatuses.Exited(137, "OOMKilled")), Ready)!.Exit!.OutOfMemory);
    }

    [Theory]
    [InlineData("Evicted", EndReason.Evicted, "The cluster evicted the bot's pod: the node said so.")]
    [InlineData("Preempting", EndReason.Preempted, "The cluster gave the place of the bot's pod to one with a higher priority: the node said so.")]
    [InlineData("NodeShutdown", EndReason.NodeLost, "The bot's node n1 was shut down or removed: the node said so.")]
    public void A_pod_that_the_cluster_ended_names_the_cause(string reason, EndReason expected, string error)
    {
        var exit = Read(Pod(PodStatuses.Ended(reason, "the node said so.")), Ready)!.Exit!;

        Assert.Equal((expected, error, 137L), (exit.Interruption!.Reason, exit.Interruption.Error, exit.ExitCode));
    }

    [Fact]
    public void Newer_clusters_name_the_cause_in_a_condition()
    {
        var status = PodStatuses.Exited(0);
        status.Conditions = [new() { Type = "DisruptionTarget", Status = "True", Reason = "PreemptionByScheduler", Message = "preempted" }];

        Assert.Equal(EndReason.Preempted, Read(Pod(status), Ready)!.Exit!.Interruption!.Reason);
    }

    [Fact]
    public void A_pod_that_was_ended_by_its_deadline_was_stopped_and_not_interrupted()
    {
        var exit = Read(Pod(PodStatuses.Ended("DeadlineExceeded", "Pod was active on the node longer than the specified deadline")), Ready)!.Exit!;

        Assert.Null(exit.Interruption);
    }

    [Fact]
    public void A_pending_pod_has_a_reason()
    {
        Assert.Equal("No node has room for the bot's pod: 0/2 nodes are available: 2 Insufficient cpu.", WhyOf(PodStatuses.Unschedulable("0/2 nodes are available: 2 Insufficient cpu."), node: null));
        Assert.Equal("The bot's pod waits for the scheduler.", WhyOf(new() { Phase = "Pending" }, node: null));
        Assert.Equal("The container is being created on node n1.", WhyOf(PodStatuses.Waiting("ContainerCreating")));
        Assert.Equal(
            "The recorder image newarbots/recorder:dev cannot be pulled on node n1: rpc error: not found.",
            WhyOf(PodStatuses.Waiting("ErrImagePull", "rpc error: not found")));
        Assert.Equal(
            "The recorder image newarbots/recorder:dev cannot be pulled on node n1: Back-off pulling image.",
            WhyOf(PodStatuses.Waiting("ImagePullBackOff", "Back-off pulling image")));
        Assert.Equal(
            "The container cannot be created on node n1: cannot load seccomp profile.",
            WhyOf(PodStatuses.Waiting("CreateContainerError", "cannot load seccomp profile")));
    }

    [Fact]
    public void The_latest_event_explains_why_a_container_is_not_created_yet()
    {
        var creating = PodStatuses.Waiting("ContainerCreating");
        Corev1Event[] events =
        [
            Event("Scheduled", "Normal", "assigned to n1", 0),
            Event("FailedMount", "Warning", "MountVolume.SetUp failed:\nno such host", 20),
            Event("Pulling", "Normal", "pulling", 10),
        ];

        Assert.Equal("The session folder cannot be mounted on node n1: MountVolume.SetUp failed: no such host.", WhyOf(creating, events: events));
        Assert.Equal("Node n1 pulls the recorder image newarbots/recorder:dev.", WhyOf(creating, events: events[..1].Append(events[2])));
        Assert.Equal(
            "The container cannot be created on node n1: no network.",
            WhyOf(creating, events: [Event("FailedCreatePodSandBox", "Warning", "no network", 30)]));
    }

    [Fact]
    public void Events_of_an_earlier_pod_of_the_same_name_are_ignored()
    {
        var other = Event("FailedMount", "Warning", "no such host", 20);
        other.InvolvedObject.Uid = "another";

        Assert.Equal("The container is being created on node n1.", WhyOf(PodStatuses.Waiting("ContainerCreating"), events: [other]));
    }

    [Fact]
    public void A_forged_pod_is_no_bot()
    {
        var pod = Pod(PodStatuses.Running());
        pod.Metadata.Name = "newar-bot-0193a0-2";

        Assert.Null(Read(pod, Ready));
    }

    internal static V1Pod Pod(V1PodStatus status, string? node = "n1") => new()
    {
        Metadata = new()
        {
            Name = "newar-bot-0193a0",
            Uid = "u1",
            Labels = new Dictionary<string, string> { ["newarbots.session"] = "0193a0" },
            Annotations = new Dictionary<string, string> { ["newarbots.user"] = "-anna_" },
        },
        Spec = new() { NodeName = node, Containers = [new() { Name = "recorder", Image = "newarbots/recorder:dev" }] },
        Status = status,
    };

    private static V1Node Node(bool isReady) => new() { Metadata = new() { Name = "n1" }, Status = PodStatuses.Node(isReady) };

    private static Corev1Event Event(string reason, string type, string message, int seconds) => new()
    {
        Reason = reason,
        Type = type,
        Message = message,
        LastTimestamp = PodStatuses.Noon.AddSeconds(seconds),
        InvolvedObject = new() { Name = "newar-bot-0193a0", Uid = "u1" },
    };

    private static RecorderContainer? Read(V1Pod pod, V1Node? node, IEnumerable<Corev1Event>? events = null) => PodReading.Read(pod, node, events ?? []);

    private static (RecorderContainerState, string?) StateOf(RecorderContainer? container) => (container!.State, container.Why);

    private static string? WhyOf(V1PodStatus status, string? node = "n1", IEnumerable<Corev1Event>? events = null)
    {
        var read = Read(Pod(status, node), node is null ? null : Ready, events);
        Assert.Equal(RecorderContainerState.Pending, read!.State);
        return read.Why;
    }
}
