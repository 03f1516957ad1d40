using System.Globalization;
using NewarBots.Contract;

namespace NewarBots.Recorder.Recording;

/// <summary>
/// Whether the recorder hears what its connections receive. A track is unheard when for <see cref="Patience"/> its connection
/// tells of audible sound, or of data, and nothing of it was recorded meanwhile. One that is silent, or muted, is neither. Others in
/// the call whom no track carries are as bad, and so are connections that tell nothing, all of them or that of a track of which nothing is heard.
/// </summary>
/// <remarks>
/// A connection that nobody plays tells of no sound, but of bytes: so they count where nothing at all is delivered. Without a
/// voice, Opus sends less than <see cref="LeastBytes"/> even where it sends at all.
/// </remarks>
internal sealed class Hearing
{
    /// <summary>So long connection and recording may disagree.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>A remedy that helps does so at once.</summary>
    public static readonly TimeSpan RemedyPatience = TimeSpan.FromSeconds(10);

    /// <summary>Nothing helped: so often it is tried again.</summary>
    public static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(60);

    /// <summary>So much of the patience there has to be sound: one word that was missed is no deafness.</summary>
    private static readonly TimeSpan LeastSound = TimeSpan.FromSeconds(5);

    /// <summary>Mean square of the peaks that <c>totalAudioEnergy</c> counts; a voice of -40 dBFS has ten times as much.</summary>
    private const double AudibleReceived = 3e-5;

    /// <summary>Mean square of a second of samples at <see cref="ChunkFormat.AudibleLevel"/>.</summary>
    private const double AudibleHeard = 1e-6;

    /// <summary>A second.</summary>
    private const double LeastBytes = 500;

    /// <summary>Between two looks; longer than taking evidence holds them up.</summary>
    private static readonly TimeSpan Lapse = TimeSpan.FromSeconds(15);

    private readonly Dictionary<int, Ear> _ears = [];
    private IReadOnlyList<TrackSound> _sounds = [];
    private DateTimeOffset _soundsAt;
    private DateTimeOffset _handedOverAt = DateTimeOffset.MinValue;
    private DateTimeOffset _stalledSince;
    private DateTimeOffset _observedAt = DateTimeOffset.MinValue;
    private (DateTimeOffset At, double Seconds)? _trackless;
    private HearingRemedy _tried;
    private DateTimeOffset _triedAt;
    private double _gapFrom;

    /// <summary>What is wrong in spite of all remedies, with the figures; <see langword="null"/> where nothing is.</summary>
    public string? Warning { get; private set; }

    /// <summary>What is recorded as silence may be none.</summary>
    public bool IsInDoubt => Warning is not null || _trackless is not null || _ears.Values.Any(ear => ear.IsInDoubt);

    /// <summary>To be called about once a second while the page is in the call.</summary>
    /// <param name="progress">What is recorded.</param>
    /// <param name="others">How many others are in the call; <see langword="null"/> where the page does not tell.</param>
    /// <param name="now">When.</param>
    public HearingStep Observe(RecordingProgress progress, int? others, DateTimeOffset now)
    {
        var (tracks, connections) = (progress.Reception.Tracks, progress.Reception.Connections);
        // While the page was no call, nobody had to tell anything: that is counted anew.
        if (now - _observedAt >= Lapse)
            (_stalledSince, _soundsAt) = (now, now);
        _observedAt = now;
        if (_handedOverAt != progress.At)
            (_handedOverAt, _stalledSince) = (progress.At, now);
        // Nobody else in the call is nothing to be heard; with somebody in it, no track at all is as bad as a deaf one.
        _trackless = others > 0 && tracks == 0 ? _trackless ?? (now, progress.RecordedSeconds) : null;
        if (tracks == 0)
        {
            _ears.Clear();
            _soundsAt = now;
        }
        else if (!ReferenceEquals(progress.Sounds, _sounds))
        {
            Compare(progress, now);
            (_sounds, _soundsAt) = (progress.Sounds, now);
        }

        var unheard = _ears.Where(ear => ear.Value.IsUnheard(now)).OrderBy(ear => ear.Key).ToList();
        var isStalled = now - _stalledSince >= Patience;
        var isTrackless = now - _trackless?.At >= Patience;
        var isUntold = !isStalled && now - _soundsAt >= Patience;
        var untold = _ears.Where(ear => ear.Value.IsUntold).OrderBy(ear => ear.Key).ToList();
        if (unheard.Count == 0 && untold.Count == 0 && !isStalled && !isTrackless && !isUntold)
        {
            (_tried, Warning) = (HearingRemedy.None, null);
            return default;
        }

        var canBeHelped = unheard.Count > 0 || isStalled;
        var cannotBeHelped = isTrackless || isUntold || untold.Count > 0;
        var remedy = canBeHelped ? NextRemedy(isStalled, now) : HearingRemedy.None;
        if (remedy is not HearingRemedy.None)
            (_tried, _triedAt) = ((HearingRemedy)Math.Max((int)_tried, (int)remedy), now);
        else if (cannotBeHelped && Warning is null)
            remedy = HearingRemedy.Alarm;
        if (_tried is HearingRemedy.Alarm || remedy is HearingRemedy.Alarm || (cannotBeHelped && Warning is not null))
        {
            Warning = isStalled
                ? Invariant($"The page has handed over no audio for {(now - _stalledSince).TotalSeconds:0} s.")
                : isTrackless ? Invariant($"{others} others are in the call, and none of {connections} connections has an audio track.")
                : isUntold ? Invariant($"The {connections} connections have not told for {(now - _soundsAt).TotalSeconds:0} s what they receive.")
                : string.Join(' ', [
                    .. unheard.Select(ear => ear.Value.Describe(ear.Key, now)),
                    .. untold.Select(ear => Invariant($"The connection of track {ear.Key} has not told for {ear.Value.Untold.TotalSeconds:0} s what it receives, and nothing is heard of it.")),
                ]);
        }

        var since = isTrackless ? _trackless?.Seconds : unheard.Min(ear => (double?)ear.Value.SinceSeconds);
        return new(remedy, GapSoFar(since, progress.RecordedSeconds));
    }

    /// <summary>Another page: its tracks are others.</summary>
    public void Forget()
    {
        _ears.Clear();
        _sounds = [];
        _observedAt = DateTimeOffset.MinValue;
        _trackless = null;
    }

    private HearingRemedy NextRemedy(bool isStalled, DateTimeOffset now) => _tried switch
    {
        HearingRemedy.None => isStalled ? HearingRemedy.BeginAgain : HearingRemedy.HearAgain,
        HearingRemedy.Alarm => now - _triedAt >= RetryInterval ? (isStalled ? HearingRemedy.BeginAgain : HearingRemedy.HearAgain) : HearingRemedy.None,
        _ when now - _triedAt < RemedyPatience => HearingRemedy.None,
        HearingRemedy.HearAgain => HearingRemedy.BeginAgain,
        _ => HearingRemedy.Alarm,
    };

    /// <summary>What of the stretch without hearing was not told yet: it is told piece by piece, in case there is no later.</summary>
    private Gap? GapSoFar(double? since, double recorded)
    {
        var from = Math.Max(since ?? recorded, Math.Min(_gapFrom, recorded));
        _gapFrom = recorded;
        return recorded > from ? new(from, recorded, GapCause.NotHeard) : null;
    }

    private void Compare(RecordingProgress progress, DateTimeOffset now)
    {
        foreach (var gone in _ears.Keys.Except(progress.Sounds.Select(sound => sound.Track)).ToList())
            _ears.Remove(gone);
        foreach (var sound in progress.Sounds)
        {
            if (_ears.TryGetValue(sound.Track, out var ear))
                ear.Compare(sound, progress, now - _soundsAt, now);
            else
                _ears[sound.Track] = new(sound, progress, now);
        }
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>One track: what it had received and what of it was recorded when they last agreed.</summary>
    private sealed class Ear(TrackSound sound, RecordingProgress progress, DateTimeOffset now)
    {
        private TrackSound _agreed = sound;
        private TrackSound _last = sound;
        private long _agreedAudible = progress.AudiblePackets;
        private DateTimeOffset _since = now;
        private TimeSpan _sounded;

        public double SinceSeconds { get; private set; } = progress.RecordedSeconds;

        public bool IsInDoubt => _sounded >= LeastSound;

        public bool IsUnheard(DateTimeOffset now) => IsInDoubt && now - _since >= Patience;

        /// <summary>How long its connection has told nothing, and nothing was heard either.</summary>
        public TimeSpan Untold { get; private set; }

        public bool IsUntold => Untold >= Patience;

        public void Compare(TrackSound sound, RecordingProgress progress, TimeSpan elapsed, DateTimeOffset now)
        {
            if (sound.IsUntold)
                sound = sound with { ReceivedBytes = _last.ReceivedBytes, ReceivedEnergy = _last.ReceivedEnergy };
            var seconds = Math.Max(0.1, elapsed.TotalSeconds);
            var isSounding = sound.ReceivedEnergy - _last.ReceivedEnergy >= AudibleReceived * seconds
                || (sound.ReceivedBytes - _last.ReceivedBytes >= LeastBytes * seconds && sound.HeardSeconds <= _agreed.HeardSeconds);
            _last = sound;
            if (isSounding)
                _sounded += elapsed;
            var isHeard = sound.HeardEnergy - _agreed.HeardEnergy >= AudibleHeard && progress.AudiblePackets > _agreedAudible;
            Untold = sound.IsUntold && !isHeard ? Untold + elapsed : TimeSpan.Zero;
            if (!isHeard && _sounded > TimeSpan.Zero)
                return;
            (_agreed, _agreedAudible, _since, _sounded) = (sound, progress.AudiblePackets, now, TimeSpan.Zero);
            SinceSeconds = progress.RecordedSeconds;
        }

        public string Describe(int track, DateTimeOffset now) => Invariant(
            $"Track {track} is received and not heard: for {(now - _since).TotalSeconds:0} s {_last.ReceivedBytes - _agreed.ReceivedBytes} bytes came in, {_sounded.TotalSeconds:0} s of them with sound; {_last.HeardSeconds - _agreed.HeardSeconds:0.0} s of it were delivered, {Level(_last.HeardEnergy - _agreed.HeardEnergy, now - _since)}.");

        private static string Level(double energy, TimeSpan over) =>
            energy <= 0 ? "all silent" : Invariant($"at {10 * Math.Log10(energy / over.TotalSeconds):0} dBFS");
    }
}

/// <summary>What is to be done so that the recorder hears again, the gentlest first.</summary>
internal enum HearingRemedy
{
    None,

    /// <summary>Every track is hooked anew.</summary>
    HearAgain,

    /// <summary>With another encoder as well.</summary>
    BeginAgain,

    /// <summary>Nothing helps: say so, and record on.</summary>
    Alarm,
}

/// <param name="Remedy">What is to be done now.</param>
/// <param name="NotHeard">What of the time line has become a gap since the last step.</param>
internal readonly record struct HearingStep(HearingRemedy Remedy, Gap? NotHeard);
