using System.Text.Json.Serialization;

namespace NewarBots.Contract;

/// <summary>The reason why a bot ended: a closed list, in JSON as snake_case.</summary>
[JsonConverter(typeof(SnakeCaseEnumConverter<EndReason>))]
public enum EndReason
{
    /// <summary>
    /// Another bot of the same user was in the meeting until it was too late to start. Before that, a warning of a scheduled bot that waits for
    /// the other one to leave.
    /// </summary>
    MeetingTaken,

    /// <summary>Its user was at the limit of active bots until it was too late to start. Before that, a warning.</summary>
    UserOverQuota,

    /// <summary>No manager was running to start it in time.</summary>
    StartMissed,

    /// <summary>The host or a participant refused to let it in.</summary>
    DeniedByHost,

    /// <summary>Nobody let it in before <see cref="LeaveConditions.WaitingRoomTimeout"/>.</summary>
    WaitingRoomTimeout,

    /// <summary>It was alone for <see cref="LeaveConditions.NobodyJoinedTimeout"/> from the start.</summary>
    NobodyJoined,

    /// <summary>Everyone else left and stayed away for <see cref="LeaveConditions.EveryoneLeftTimeout"/>.</summary>
    EveryoneLeft,

    /// <summary>The host ended the call for all.</summary>
    MeetingEnded,

    /// <summary>It was removed from the call.</summary>
    RemovedByHost,

    /// <summary>A stop was requested through the API or with SIGTERM.</summary>
    StopRequested,

    /// <summary><see cref="LeaveConditions.MaxDuration"/> was reached.</summary>
    MaxDuration,

    /// <summary>Nothing was heard for <see cref="LeaveConditions.SilenceTimeout"/>.</summary>
    Silence,

    /// <summary>The platform does not know the meeting.</summary>
    MeetingNotFound,

    /// <summary>The meeting admits only signed-in guests.</summary>
    LoginRequired,

    /// <summary>The platform turned the browser away.</summary>
    BlockedByPlatform,

    /// <summary>The page could not be opened, or the recorder never recognized it.</summary>
    JoinFailed,

    /// <summary>The browser crashed or hung and could not be replaced.</summary>
    BrowserCrashed,

    /// <summary>The connection to the call was lost, and rejoining failed.</summary>
    NetworkLost,

    /// <summary>The recorder died without reporting an end.</summary>
    RecorderCrashed,

    /// <summary>The container reached its memory limit.</summary>
    OutOfMemory,

    /// <summary>The cluster evicted its pod, for example because the node ran out of memory or disk space.</summary>
    Evicted,

    /// <summary>The cluster ended its pod to make room for one with a higher priority.</summary>
    Preempted,

    /// <summary>The node of its pod was shut down or removed from the cluster.</summary>
    NodeLost,

    /// <summary>The recorder could not write to its folder.</summary>
    StorageFailed,

    /// <summary>The container could not be created or started.</summary>
    LaunchFailed,

    /// <summary>
    /// Only a warning while recording: audio is received but not captured, the connection to the call is lost, or participants have no audio
    /// track.
    /// </summary>
    NoAudio,

    /// <summary>Only while the bot starts: its container waits for a machine, its image or its storage.</summary>
    ContainerPending,

    /// <summary>Only a warning: the machine of the bot's container does not answer, so the bot may still record.</summary>
    ContainerUnreachable,

    /// <summary>The chunks exist but could not be assembled.</summary>
    FinalizationFailed,
}

public static class EndReasons
{
    /// <summary>The bot ended without a failure: it recorded everything until then.</summary>
    public static bool IsOrdinary(this EndReason reason) => reason
        is EndReason.MeetingEnded or EndReason.RemovedByHost or EndReason.EveryoneLeft or EndReason.NobodyJoined
        or EndReason.StopRequested or EndReason.MaxDuration or EndReason.Silence;

    /// <summary>A recorder may report this reason. Managers find the others themselves.</summary>
    public static bool IsOfRecorder(this EndReason reason) => reason.IsOrdinary() || reason
        is EndReason.DeniedByHost or EndReason.WaitingRoomTimeout or EndReason.MeetingNotFound or EndReason.LoginRequired or EndReason.BlockedByPlatform
        or EndReason.JoinFailed or EndReason.BrowserCrashed or EndReason.NetworkLost or EndReason.StorageFailed or EndReason.NoAudio;
}
