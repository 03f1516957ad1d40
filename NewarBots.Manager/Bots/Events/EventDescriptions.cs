using System.Text.Json.Serialization;
using NewarBots.Contract;
using NewarBots.Manager.Bots.Transcripts;

namespace NewarBots.Manager.Bots.Events;

// These types only describe the streams; BotEvents writes them.

/// <summary>A server-sent event of one bot.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "event")]
[JsonDerivedType(typeof(StatusEvent), BotEvents.StatusType)]
[JsonDerivedType(typeof(EndEvent), BotEvents.EndType)]
[JsonDerivedType(typeof(ParticipantJoinedEvent), PeopleEvents.Joined)]
[JsonDerivedType(typeof(ParticipantLeftEvent), PeopleEvents.Left)]
[JsonDerivedType(typeof(SpeakerStartedEvent), PeopleEvents.SpeakerStarted)]
[JsonDerivedType(typeof(SpeakerStoppedEvent), PeopleEvents.SpeakerStopped)]
internal abstract record FollowEvent;

/// <summary>A status update.</summary>
/// <param name="Id">The event's id, for Last-Event-ID.</param>
/// <param name="Data">The status message.</param>
internal sealed record StatusEvent(string Id, StatusUpdate Data) : FollowEvent;

/// <summary>The last event: the bot has ended.</summary>
/// <param name="Data">The bot.</param>
internal sealed record EndEvent(BotResponse Data) : FollowEvent;

/// <summary>The page began to show a participant.</summary>
/// <param name="Data">The participant, and the time.</param>
internal sealed record ParticipantJoinedEvent(PersonChange Data) : FollowEvent;

/// <summary>The page shows everybody, and no longer this participant.</summary>
/// <param name="Data">The participant, and when the page last showed the name.</param>
internal sealed record ParticipantLeftEvent(PersonChange Data) : FollowEvent;

/// <summary>Somebody began to speak.</summary>
/// <param name="Data">The speaker, and the time.</param>
internal sealed record SpeakerStartedEvent(PersonChange Data) : FollowEvent;

/// <summary>Somebody has been quiet for two seconds.</summary>
/// <param name="Data">The speaker, and when the last words ended.</param>
internal sealed record SpeakerStoppedEvent(PersonChange Data) : FollowEvent;

/// <summary>A server-sent event of all bots.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "event")]
[JsonDerivedType(typeof(BotEvent), BotEvents.BotType)]
[JsonDerivedType(typeof(DeletedEvent), BotEvents.DeletedType)]
[JsonDerivedType(typeof(TranscriptCompletedEvent), TranscriptEvents.Completed)]
[JsonDerivedType(typeof(TranscriptFailedEvent), TranscriptEvents.Failed)]
internal abstract record WatchEvent;

/// <summary>The current state of a bot.</summary>
/// <param name="Data">The bot.</param>
internal sealed record BotEvent(BotResponse Data) : WatchEvent;

/// <summary>A bot was deleted.</summary>
/// <param name="Data">Which bot.</param>
internal sealed record DeletedEvent(DeletedBot Data) : WatchEvent;

/// <summary>The transcript of a bot's recording is ready.</summary>
/// <param name="Data">The bot.</param>
internal sealed record TranscriptCompletedEvent(BotResponse Data) : WatchEvent;

/// <summary>The transcript of a bot's recording failed, and is not retried.</summary>
/// <param name="Data">The bot.</param>
internal sealed record TranscriptFailedEvent(BotResponse Data) : WatchEvent;

/// <summary>A deleted bot.</summary>
/// <param name="Id">Its id.</param>
internal sealed record DeletedBot(SessionId Id);
