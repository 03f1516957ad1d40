using System.Text.Json.Serialization;

namespace NewarBots.Contract;

/// <summary>Why a bot ended: a closed list of machine words, on the wire in snake_case.</summary>
[JsonConverter(typeof(SnakeCaseEnumConverter<EndReason>))]
public enum EndReason
{
    /// <summary>
    /// Another bot of its user was in the meeting until it was too late to start. Before that, a warning of a scheduled bot that waits
    /// for the other one to leave.
    /// </summary>
    MeetingTaken,

    /// <summary>Its user had as many active bots as one may have, until it was too late to start; before that, a warning likewise.</summary>
    UserOverQuota,

    /// <summary>Nobody was there to start it before it was too late.</summary>
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

    /// <summary>Somebody asked for it: by the API, or by SIGTERM.</summary>
    StopRequested,

    /// <summary><see cref="LeaveConditions.MaxDuration"/> was reached.</summary>
    MaxDuration,

    /// <summary>Nothing was heard for <see cref="LeaveConditions.SilenceTimeout"/>.</summary>
    Silence,

    /// <summary>The platform does not know the meeting.</summary>
    MeetingNotFound,

    /// <summary>The meeting takes signed-in guests only.</summary>
    LoginRequired,

    /// <summary>The platform turned the browser away.</summary>
    BlockedByPlatform,

    /// <summary>The page could not be opened, or never became one that the recorder knows.</summary>
    JoinFailed,

    /// <summary>The browser died or hung and could not be brought back.</summary>
    BrowserCrashed,

    /// <summary>The recorder died without a word.</summary>
    RecorderCrashed,

    /// <summary>The container reached its memory limit.</summary>
    OutOfMemory,

    /// <summary>The recorder could not write to its folder.</summary>
    StorageFailed,

    /// <summary>The container could not be made or started.</summary>
    LaunchFailed,

    /// <summary>A warning of a bot that records on: audio is received and not heard, or others are there whom no track carries. It is never an end.</summary>
    NoAudio,

    /// <summary>The chunks are there and could not be put together.</summary>
    FinalizationFailed,
}

public static class EndReasons
{
    /// <summary>Nothing went wrong: whoever was in the call until then heard all of it.</summary>
    public static bool IsOrdinary(this EndReason reason) => reason
        is EndReason.MeetingEnded or EndReason.RemovedByHost or EndReason.EveryoneLeft or EndReason.NobodyJoined
        or EndReason.StopRequested or EndReason.MaxDuration or EndReason.Silence;
}
