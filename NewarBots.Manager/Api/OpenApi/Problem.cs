using System.ComponentModel.DataAnnotations;
using NewarBots.Contract;

namespace NewarBots.Manager.Api.OpenApi;

/// <summary>An error (RFC 9457). The members after `traceId` depend on the type, as the examples show.</summary>
/// <param name="Type">Stable identifier of the error.</param>
/// <param name="Title">Summary, the same for each type.</param>
/// <param name="Status">The HTTP status.</param>
/// <param name="Detail">Explains this occurrence and what to do.</param>
/// <param name="TraceId">Identifies the request in the manager's log and traces.</param>
/// <param name="Errors">Faults by field, parameter or header, dotted if nested; `body` for the whole body.</param>
/// <param name="BotId">The bot that is already in the meeting.</param>
/// <param name="BotStatus">The bot's status.</param>
/// <param name="Reason">Why the bot ended.</param>
/// <param name="Limit">The limit that is reached.</param>
/// <param name="Tracks">The existing tracks.</param>
internal sealed record Problem(
    string Type,
    string Title,
    [property: Range(400, 599)] int Status,
    string? Detail,
    string? TraceId,
    IReadOnlyDictionary<string, IReadOnlyList<string>>? Errors,
    SessionId? BotId,
    BotStatus? BotStatus,
    EndReason? Reason,
    int? Limit,
    IReadOnlyList<int>? Tracks);
