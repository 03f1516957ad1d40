using k8s.Models;

namespace NewarBots.Tests.Containers.Kubernetes;

/// <summary>Statuses of pods and nodes, as a scheduler, a kubelet and a node controller write them.</summary>
internal static class PodStatuses
{
    public static readonly DateTime Noon = new(2026, 3, 1, 12, 0, 0, DateTimeKind.Utc);

    public static V1PodStatus Running() => new()
    {
        Phase = "Running",
        StartTime = Noon,
        ContainerStatuses = [Container(new() { Running = new() { StartedAt = Noon } })],
    };

    public static V1PodStatus Waiting(string reason, string? message = null) => new()
    {
        Phase = "Pending",
        ContainerStatuses = [Container(new() { Waiting = new() { Reason = reason, Message = message } })],
    };

    public static V1PodStatus Unschedulable(string message) => new()
    {
        Phase = "Pending",
        Conditions = [new() { Type = "PodScheduled", Status = "False", Reason = "Unschedulable", Message = message }],
    };

    public static V1PodStatus Exited(int code, string reason = "Completed", DateTime? at = null) => new()
    {
        Phase = code == 0 ? "Succeeded" : "Failed",
        ContainerStatuses = [Container(new() { Terminated = new() { ExitCode = code, Reason = reason, StartedAt = Noon, FinishedAt = at ?? Noon.AddMinutes(5) } })],
    };

    public static V1PodStatus Ended(string reason, string message) => new() { Phase = "Failed", Reason = reason, Message = message, StartTime = Noon };

    public static V1NodeStatus Node(bool isReady) => new()
    {
        Conditions =
        [
            new() { Type = "MemoryPressure", Status = isReady ? "False" : "Unknown" },
            new()
            {
                Type = "Ready",
                Status = isReady ? "True" : "Unknown",
                Message = isReady ? "kubelet is posting ready status" : "Kubelet stopped posting node status.",
            },
        ],
    };

    private static V1ContainerStatus Container(V1ContainerState state) => new()
    {
        Name = "recorder",
        Image = "newarbots/recorder:dev",
        ImageID = string.Empty,
        Ready = state.Running is not null,
        RestartCount = 0,
        State = state,
    };
}
