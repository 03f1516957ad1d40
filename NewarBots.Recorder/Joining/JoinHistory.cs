using System.Collections.Immutable;
using NewarBots.Contract;

namespace NewarBots.Recorder.Joining;

/// <summary>The actions taken while joining. Keeps them from being repeated too fast or forever.</summary>
/// <param name="LastProgressAt">When joining started, the last action was taken, or the waiting room was last seen.</param>
/// <param name="Answers">The answers given to the page's dialogs.</param>
/// <param name="WaitingSince">When the waiting room was first seen.</param>
/// <param name="LobbySince">Since when the page has shown a join button.</param>
internal sealed record JoinHistory(
    DateTimeOffset LastProgressAt, DialogAnswers Answers, DateTimeOffset? WaitingSince = null, DateTimeOffset? LobbySince = null)
{
    /// <summary>How long joining may make no progress.</summary>
    public static readonly TimeSpan StuckTimeout = TimeSpan.FromSeconds(60);

    /// <summary>How long a join button may be covered before it is pressed by keyboard.</summary>
    public static readonly TimeSpan CoveredTimeout = TimeSpan.FromSeconds(5);

    /// <summary>How long after the join button a microphone or camera control may appear.</summary>
    public static readonly TimeSpan DevicesTimeout = TimeSpan.FromSeconds(4);

    /// <summary>How long after the last packet audio still counts as being received.</summary>
    public static readonly TimeSpan ReceptionTimeout = TimeSpan.FromSeconds(5);

    /// <summary>How often the received bytes must grow, once a second, before they prove a call. A single packet may be a leftover.</summary>
    private const int MinReceptions = 2;

    private static readonly TimeSpan Cooldown = TimeSpan.FromSeconds(3);

    private const int MaxActsPerTarget = 5;
    private const int MaxActs = 100;

    private ImmutableDictionary<string, (int Count, DateTimeOffset LastAt)> ActsOnShown { get; init; } =
        ImmutableDictionary<string, (int, DateTimeOffset)>.Empty;

    private int Acts { get; init; }

    /// <summary>
    /// How long a known waiting room, once it has disappeared, may be followed by a page that shows nothing of the meeting.
    /// </summary>
    private static readonly TimeSpan WaitingRoomGoneTimeout = TimeSpan.FromSeconds(20);

    /// <summary>Google Meet stops waiting after about ten minutes. A browser that is sent away before was blocked.</summary>
    private static readonly TimeSpan LongWait = TimeSpan.FromMinutes(5);

    /// <summary>How long after the error that drops its session the page may still recover: before it is loaded again, and after that.</summary>
    private static readonly TimeSpan DroppedTimeout = TimeSpan.FromSeconds(5), DroppedAgainTimeout = TimeSpan.FromSeconds(60);

    /// <summary>A join button was clicked.</summary>
    public bool HasKnocked { get; private init; }

    /// <summary>An earlier visit of this session was in the call.</summary>
    public bool IsAgain { get; init; }

    /// <summary>The page was loaded again because the platform had dropped its session.</summary>
    public bool WasReloaded { get; private init; }

    private DateTimeOffset? DroppedSince { get; init; }

    /// <summary>How many errors the page had that drop its session, now and before the request to join.</summary>
    private int Drops { get; init; }

    private int DropsBefore { get; init; }

    /// <summary>Entries that were a part of a longer text before the request to join, such as of the meeting's title.</summary>
    private ImmutableHashSet<string> Quotes { get; init; } = [];

    /// <summary>The address of the meeting's pages, before the call.</summary>
    private MeetingAddress Address { get; init; } = new();

    private long ReceivedBytes { get; init; }

    private int Receptions { get; init; }

    private DateTimeOffset ReceivedAt { get; init; }

    /// <summary>
    /// Adds a look at the page. A control that disappears and comes back counts as another one. A look that failed changes nothing.
    /// </summary>
    public JoinHistory WithView(PageView view, DateTimeOffset now) => view.IsFailed ? this : (this with
    {
        // The call may open at another path, and may be black at first.
        Address = view.IsMeetingPage ? Address.At(view) : Address.After(view, mayBeMeeting: view.IsBlank || IsReceiving(now), now),
        Answers = Answers.WithView(view),
        Drops = view.Drop?.Count ?? 0,
        Quotes = view.OffersToJoin && !HasKnocked ? Quotes.Union(view.Matches.Where(match => match.IsPart).Select(match => match.Entry)) : Quotes,
        LobbySince = view.Shows(PageSign.JoinButton) || view.Shows(PageSign.SwitchButton) ? LobbySince ?? now : null,
        DroppedSince = view.Drop?.Count > DropsBefore && HasKnocked ? DroppedSince ?? now : null,
        ActsOnShown = ActsOnShown.RemoveRange(ActsOnShown.Keys.Where(entry => view.Matches.All(match => match.Entry != entry))),
    }).WithReception(view.ReceivedBytes, now);

    /// <inheritdoc cref="MeetingAddress.IsLeft"/>
    public bool IsElsewhere(DateTimeOffset now) => Address.IsLeft(now);

    /// <summary>The text is a part of a longer one that the page showed before the request to join, such as the meeting's title.</summary>
    public bool IsQuote(PageMatch match) => match.IsPart && Quotes.Contains(match.Entry);

    /// <summary>After the request to join, the platform dropped the page's session, and the page did not recover.</summary>
    public bool IsDropped(DateTimeOffset now) => now - DroppedSince >= (WasReloaded ? DroppedAgainTimeout : DroppedTimeout);

    /// <summary>The bot was in the waiting room for so long that the platform may have ended it.</summary>
    public bool HasWaitedLong(DateTimeOffset now) => now - WaitingSince >= LongWait;

    /// <summary>The waiting room was replaced by a page that shows nothing of the meeting.</summary>
    public bool HasWaitingRoomEnded(PageView view, DateTimeOffset now) =>
        WaitingSince is not null
        && now - LastProgressAt >= WaitingRoomGoneTimeout
        && view is { Matches.Count: 0, Dialogs.Count: 0, IsBlank: false }
        && view.Url.StartsWith("http", StringComparison.Ordinal)
        && !Address.IsElsewhere
        && !IsReceiving(now);

    /// <summary>The page was loaded again. The request to join has to be made again.</summary>
    public JoinHistory WithReload(DateTimeOffset now) => this with
    {
        LastProgressAt = now,
        WaitingSince = null,
        LobbySince = null,
        HasKnocked = false,
        DroppedSince = null,
        WasReloaded = true,
    };

    private JoinHistory WithReception(long bytes, DateTimeOffset now) => bytes switch
    {
        _ when bytes > ReceivedBytes => this with { ReceivedBytes = bytes, Receptions = Receptions + 1, ReceivedAt = now },
        // Another page was loaded.
        _ when bytes < ReceivedBytes => this with { ReceivedBytes = bytes, Receptions = 0 },
        _ => this,
    };

    /// <summary>
    /// The page's connections receive audio. A track alone proves nothing: the page's negotiation creates it before any packet comes.
    /// </summary>
    public bool IsReceiving(DateTimeOffset now) => Receptions >= MinReceptions && now - ReceivedAt < ReceptionTimeout;

    public JoinHistory WithAct(PageMatch target, DateTimeOffset now) => WithKnock(target.Sign) with
    {
        LastProgressAt = now,
        ActsOnShown = ActsOnShown.SetItem(target.Entry, (ActsOnShown.GetValueOrDefault(target.Entry).Count + 1, now)),
        Acts = Acts + 1,
    };

    /// <summary>An error from before the request to join did not drop it.</summary>
    private JoinHistory WithKnock(PageSign? sign) =>
        HasKnocked || sign is not (PageSign.JoinButton or PageSign.SwitchButton) ? this : this with { HasKnocked = true, DropsBefore = Drops };

    public JoinHistory WithAnswer(DialogAnswer answer, DateTimeOffset now) => WithKnock(answer.Button?.Sign) with
    {
        LastProgressAt = now,
        Answers = Answers.WithAnswer(answer, now),
        Acts = Acts + 1,
    };

    /// <summary>The page was acted on so often that it must be looping.</summary>
    public bool IsLooping => Acts >= MaxActs;

    /// <summary>Forgets the number of actions after a pause. In a call of hours, many dialogs may need an answer.</summary>
    public JoinHistory WithPause(DateTimeOffset now) => now - LastProgressAt < StuckTimeout ? this : this with { Acts = 0 };

    public JoinHistory WithWaitingRoom(DateTimeOffset now) => this with { LastProgressAt = now, WaitingSince = WaitingSince ?? now };

    public bool WasActedOn(PageMatch target) => ActsOnShown.ContainsKey(target.Entry);

    /// <summary>The target was tried too often without effect.</summary>
    public bool IsExhausted(PageMatch target) => IsLooping || ActsOnShown.GetValueOrDefault(target.Entry).Count >= MaxActsPerTarget;

    /// <summary>The target is not exhausted, and the page had time to react to the last action on it.</summary>
    public bool MayAct(PageMatch target, DateTimeOffset now) =>
        !IsExhausted(target) && (!ActsOnShown.TryGetValue(target.Entry, out var act) || now - act.LastAt >= Cooldown);
}
