using k8s.Models;
using NewarBots.Contract;
using NewarBots.Manager.Bots;

namespace NewarBots.Manager.Containers.Kubernetes;

/// <summary>
/// Tells the state of a recorder from its pod, its node and the pod's events. A pod's phase alone is not enough: it stays Running while its node is
/// lost, and Pending has many causes.
/// </summary>
internal static class PodReading
{
    /// <summary>The exit code of a container that was killed before it could report one.</summary>
    private const int Killed = 137;

    /// <returns><see langword="null"/> if the labels and the name do not identify a bot.</returns>
    public static (SessionId Id, UserId User)? Identify(V1Pod pod) =>
        SessionId.TryParse(pod.GetLabel(RecorderLabels.Session), provider: null, out var id)
        && UserId.TryParse(pod.GetAnnotation(RecorderLabels.User), provider: null, out var user)
        && pod.Name() == RecorderContainerName.Of(id)
            ? (id, user)
            : null;

    /// <param name="pod">The pod.</param>
    /// <param name="node">Its node; <see langword="null"/> if it has none, or the node does not exist anymore.</param>
    /// <param name="events">Events of this pod, in any order. They are only used to explain why it is pending.</param>
    /// <returns><see langword="null"/> if the pod does not identify a bot.</returns>
    public static RecorderContainer? Read(V1Pod pod, V1Node? node, IEnumerable<Corev1Event> events)
    {
        if (Identify(pod) is not var (id, user))
            return null;
        if (ExitOf(pod) is { } exit)
            return new(id, user, RecorderContainerState.Exited, exit);
        if (WhyUnknown(pod, node) is { } unknown)
            return new(id, user, RecorderContainerState.Unknown, Why: unknown);
        return pod.Status?.Phase is "Running"
            ? new(id, user, RecorderContainerState.Running)
            : new(id, user, RecorderContainerState.Pending, Why: WhyPending(pod, events));
    }

    /// <summary>Whether only the pod's events can explain why it is pending.</summary>
    public static bool NeedsEvents(V1Pod pod) =>
        pod.Status?.Phase is "Pending" && pod.Spec?.NodeName is { Length: > 0 } && ContainerOf(pod)?.State?.Waiting?.Reason is null or "ContainerCreating";

    public static bool HasExited(V1Pod pod) => ExitOf(pod) is not null;

    public static DateTimeOffset? FinishedAt(V1Pod pod) => ExitOf(pod)?.FinishedAt;

    private static RecorderExit? ExitOf(V1Pod pod)
    {
        var ended = ContainerOf(pod)?.State?.Terminated;
        if (ended is null && pod.Status?.Phase is not ("Succeeded" or "Failed"))
            return null;
        return new(ended?.ExitCode ?? Killed, ended?.Reason is "OOMKilled", FinishedAt(pod, ended))
        {
            StartedAt = Utc(ended?.StartedAt ?? pod.Status?.StartTime),
            Interruption = Interruption(pod),
        };
    }

    private static DateTimeOffset FinishedAt(V1Pod pod, V1ContainerStateTerminated? ended) =>
        Utc(ended?.FinishedAt)
        // A pod that was ended from outside may have no container status. Its conditions changed last when it ended.
        ?? Utc(pod.Status?.Conditions?.Max(condition => condition.LastTransitionTime))
        ?? Utc(pod.Status?.StartTime)
        ?? Utc(pod.CreationTimestamp())
        ?? DateTimeOffset.UnixEpoch;

    /// <summary>The cause, if the cluster ended the pod. Newer clusters say it in a condition, older ones in the status.</summary>
    private static RecorderInterruption? Interruption(V1Pod pod)
    {
        var disruption = pod.Status?.Conditions?.FirstOrDefault(condition => condition is { Type: "DisruptionTarget", Status: "True" });
        var message = disruption?.Message ?? pod.Status?.Message;
        return (disruption?.Reason ?? pod.Status?.Reason) switch
        {
            "Evicted" or "TerminationByKubelet" or "EvictionByEvictionAPI" or "DeletionByTaintManager" =>
                new(EndReason.Evicted, Sentence("The cluster evicted the bot's pod", message)),
            "Preempting" or "Preempted" or "PreemptionByScheduler" or "PreemptionByKubeScheduler" =>
                new(EndReason.Preempted, Sentence("The cluster gave the place of the bot's pod to one with a higher priority", message)),
            "NodeLost" or "NodeShutdown" or "Shutdown" or "Terminated" or "DeletionByPodGC" =>
                new(EndReason.NodeLost, Sentence($"The bot's node{Quoted(pod.Spec?.NodeName)} was shut down or removed", message)),
            _ => null,
        };
    }

    private static string? WhyUnknown(V1Pod pod, V1Node? node)
    {
        if (pod.Spec?.NodeName is not { Length: > 0 } name)
            return null;
        if (node is null)
            return $"The node {name} does not exist anymore.";
        if (pod.Status?.Phase is "Unknown" || node.Status?.Conditions?.FirstOrDefault(condition => condition.Type is "Ready") is not { Status: "True" })
            return Sentence($"The node {name} is not ready", node.Status?.Conditions?.FirstOrDefault(condition => condition.Type is "Ready")?.Message);
        return null;
    }

    private static string WhyPending(V1Pod pod, IEnumerable<Corev1Event> events)
    {
        if (pod.Status?.Conditions?.FirstOrDefault(condition => condition is { Type: "PodScheduled", Status: "False" }) is { } scheduling)
            return Sentence("No node has room for the bot's pod", scheduling.Message);
        if (pod.Spec?.NodeName is not { Length: > 0 } node)
            return "The bot's pod waits for the scheduler.";
        var waiting = ContainerOf(pod)?.State?.Waiting;
        return waiting?.Reason switch
        {
            null or "" or "ContainerCreating" or "PodInitializing" => WhyCreating(pod, node, events),
            "ErrImagePull" or "ImagePullBackOff" or "ErrImageNeverPull" or "InvalidImageName" or "ImageInspectError" or "RegistryUnavailable" =>
                Sentence($"The recorder image {pod.Spec.Containers[0].Image} cannot be pulled on node {node}", waiting.Message ?? waiting.Reason),
            _ => Sentence($"The container cannot be created on node {node}", waiting.Message ?? waiting.Reason),
        };
    }

    /// <summary>The kubelet reports mounts and pulls as events only.</summary>
    private static string WhyCreating(V1Pod pod, string node, IEnumerable<Corev1Event> events)
    {
        var latest = events.Where(one => one.InvolvedObject?.Uid is null || one.InvolvedObject.Uid == pod.Uid())
            .MaxBy(one => one.LastTimestamp ?? one.EventTime ?? one.FirstTimestamp);
        return latest?.Reason switch
        {
            "FailedMount" or "FailedAttachVolume" => Sentence($"The session folder cannot be mounted on node {node}", latest.Message),
            "Pulling" => $"Node {node} pulls the recorder image {pod.Spec.Containers[0].Image}.",
            _ when latest?.Type is "Warning" => Sentence($"The container cannot be created on node {node}", latest.Message),
            _ => $"The container is being created on node {node}.",
        };
    }

    private static V1ContainerStatus? ContainerOf(V1Pod pod) =>
        pod.Status?.ContainerStatuses?.FirstOrDefault(container => container.Name == RecorderPod.Container);

    private static string Quoted(string? name) => name is { Length: > 0 } ? $" {name}" : string.Empty;

    private static string Sentence(string what, string? why) =>
        string.IsNullOrWhiteSpace(why) ? $"{what}." : $"{what}: {why.ReplaceLineEndings(" ").Trim().TrimEnd('.')}.";

    private static DateTimeOffset? Utc(DateTime? time) => time is { } known ? new DateTimeOffset(DateTime.SpecifyKind(known.ToUniversalTime(), DateTimeKind.Utc)) : null;
}
