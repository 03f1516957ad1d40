using System.Globalization;
using NewarBots.Contract;

namespace NewarBots.Recorder.Recording;

/// <summary>
/// Detects received audio that is not recorded, and decides what to do about it. Three faults are detected:
/// <list type="bullet">
/// <item>A track is lost: for <see cref="Timeout"/> its connection reports audible sound, or data, and none of it is recorded. A silent or
/// muted track is not lost.</item>
/// <item>Other participants are in the call, or audio is received, but there is no audio track.</item>
/// <item>Statistics are missing, either of all connections or of a track that is not audible in the recording.</item>
/// </list>
/// </summary>
/// <remarks>
/// A connection whose audio nobody plays reports bytes but no sound energy, so bytes count if nothing at all is captured. Silent Opus
/// stays below <see cref="MinBytesPerSecond"/>, even without DTX.
/// </remarks>
internal sealed class AudioMonitor
{
    /// <summary>How long a connection and the recording may disagree before a remedy is tried.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(20);

    /// <summary>How long a remedy has to take effect. One that works does so at once.</summary>
    public static readonly TimeSpan RemedyTimeout = TimeSpan.FromSeconds(10);

    /// <summary>How often the remedies are retried after all of them failed.</summary>
    public static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(60);

    /// <summary>The amount of unrecorded sound that makes a fault. A single missed word does not.</summary>
    private static readonly TimeSpan MinSound = TimeSpan.FromSeconds(5);

    /// <summary>Mean square of the peaks that <c>totalAudioEnergy</c> counts. A voice at -40 dBFS has ten times as much.</summary>
    private const double AudibleReceivedPower = 3e-5;

    /// <summary>Energy of one second of samples at <see cref="ChunkFormat.AudibleLevel"/>.</summary>
    private const double AudibleCapturedEnergy = 1e-6;

    private const double MinBytesPerSecond = 500;

    /// <summary>
    /// In how many comparisons, one a second, a track must have missed sound to leave a gap when it is heard again. A page that hangs is compared once,
    /// and reads its audio later.
    /// </summary>
    private const int MinComparisons = 5;

    /// <summary>How long after the last bytes audio still counts as being received.</summary>
    private static readonly TimeSpan ReceptionTimeout = TimeSpan.FromSeconds(3);

    /// <summary>A longer pause between two observations resets the timeouts. Collecting evidence takes less.</summary>
    private static readonly TimeSpan MaxPause = TimeSpan.FromSeconds(15);

    private readonly Dictionary<int, TrackState> _tracks = [];
    private IReadOnlyList<TrackStats> _stats = [];
    private DateTimeOffset _statsAt;
    private DateTimeOffset _batchAt = DateTimeOffset.MinValue;
    private DateTimeOffset _stalledSince;
    private DateTimeOffset _observedAt = DateTimeOffset.MinValue;
    private (DateTimeOffset At, double Seconds, long Bytes)? _trackless;

    /// <summary>The sound that was received, and not recorded, since the last audible packet.</summary>
    private (long AudiblePackets, TimeSpan Sound, DateTimeOffset LastAt) _missed;
    private long _receivedBytes;
    private DateTimeOffset _receivedAt = DateTimeOffset.MinValue;

    /// <summary>The position at which a fault began that is over.</summary>
    private double? _endedSince;
    private AudioRemedy _tried;
    private DateTimeOffset _triedAt;
    private double _gapFrom;

    /// <summary>The fault that no remedy has fixed, with its figures; <see langword="null"/> without one.</summary>
    public string? Warning { get; private set; }

    /// <summary>
    /// No remedy has fixed it, and the call cannot be heard at all: the page delivers nothing, or sound keeps arriving and nothing audible is
    /// recorded. A fault of one track, of the statistics, or of a call in which nobody sends audio is not worth leaving the call for.
    /// </summary>
    public bool IsDeaf { get; private set; }

    /// <summary>Recorded silence may be lost audio.</summary>
    public bool IsInDoubt => Warning is not null || _trackless is not null || _tracks.Values.Any(track => track.IsInDoubt);

    /// <summary>Call about once a second while the page shows the call.</summary>
    /// <param name="progress">The state of the recording.</param>
    /// <param name="others">How many other participants are in the call; <see langword="null"/> if the page does not show it.</param>
    /// <param name="now">The time of the observation.</param>
    public AudioCheck Observe(RecordingProgress progress, int? others, DateTimeOffset now)
    {
        var (tracks, connections) = (progress.Reception.Tracks, progress.Reception.Connections);
        // While the page did not show the call, no reports were expected.
        if (now - _observedAt >= MaxPause)
            (_stalledSince, _statsAt, _observedAt) = (now, now, now);
        if (progress.AudiblePackets != _missed.AudiblePackets)
            _missed = (progress.AudiblePackets, TimeSpan.Zero, DateTimeOffset.MinValue);
        if (_batchAt != progress.At)
            (_batchAt, _stalledSince) = (progress.At, now);
        var bytes = progress.Reception.ReceivedBytes;
        if (bytes - _receivedBytes >= MinBytesPerSecond)
            _receivedAt = now;
        _receivedBytes = bytes;
        _trackless = tracks == 0 && (others > 0 || (others is null && now - _receivedAt < ReceptionTimeout)) ? _trackless ?? (now, progress.RecordedSeconds, bytes) : null;
        if (tracks == 0)
        {
            RemoveTracks([.. _tracks.Keys]);
            if (_receivedAt == now)
                AddMissed(now - _observedAt, now);
            _statsAt = now;
        }
        else if (!ReferenceEquals(progress.TrackStats, _stats))
        {
            Compare(progress, now);
            if (_tracks.Values.Any(track => track.IsSoundMissed))
                AddMissed(now - _statsAt, now);
            (_stats, _statsAt) = (progress.TrackStats, now);
        }

        _observedAt = now;

        var lost = _tracks.Where(track => track.Value.IsLost(now)).OrderBy(track => track.Key).ToList();
        var withoutStats = _tracks.Where(track => track.Value.LacksStats).OrderBy(track => track.Key).ToList();
        var isStalled = now - _stalledSince >= Timeout;
        var isTrackless = now - _trackless?.At >= Timeout;
        var lacksAllStats = !isStalled && now - _statsAt >= Timeout;
        if (lost.Count == 0 && withoutStats.Count == 0 && !isStalled && !isTrackless && !lacksAllStats)
        {
            (_tried, Warning, IsDeaf) = (AudioRemedy.None, null, false);
            return new(AudioRemedy.None, TakeEnded() is { } end ? NextGap(end, progress.RecordedSeconds) : null);
        }

        var hasRemedy = lost.Count > 0 || isStalled;
        var hasNoRemedy = isTrackless || lacksAllStats || withoutStats.Count > 0;
        var remedy = hasRemedy ? NextRemedy(isStalled, now) : AudioRemedy.None;
        if (remedy is not AudioRemedy.None)
            (_tried, _triedAt) = ((AudioRemedy)Math.Max((int)_tried, (int)remedy), now);
        else if (hasNoRemedy && Warning is null)
            remedy = AudioRemedy.Warn;
        if (_tried is AudioRemedy.Warn || remedy is AudioRemedy.Warn || (hasNoRemedy && Warning is not null))
        {
            Warning = isStalled
                ? Invariant($"The page has delivered no audio for {(now - _stalledSince).TotalSeconds:0} s.")
                : isTrackless && others is null ? Invariant($"Audio is received, but none of the {connections} connections has an audio track that can be captured.")
                : isTrackless ? Invariant($"{others} other participants are in the call, but none of the {connections} connections has an audio track.")
                : lacksAllStats ? Invariant($"The {connections} connections have reported no statistics for {(now - _statsAt).TotalSeconds:0} s.")
                : string.Join(' ', [
                    .. lost.Select(track => track.Value.Describe(track.Key, now)),
                    .. withoutStats.Select(track => Invariant($"The connection of track {track.Key} has reported no statistics for {track.Value.WithoutStats.TotalSeconds:0} s, and none of its audio is recorded.")),
                ]);
        }

        IsDeaf = Warning is not null && ((isStalled && others is not 0) || (_missed.Sound >= MinSound && now - _missed.LastAt < Timeout));
        var since = isTrackless ? _trackless?.Seconds : lost.Min(track => (double?)track.Value.SinceSeconds);
        return new(remedy, NextGap(Earlier(since, TakeEnded()), progress.RecordedSeconds));
    }

    /// <summary>Call when the bot leaves or joins again.</summary>
    /// <returns>The rest of a fault that lasts, even if it is younger than <see cref="Timeout"/>; <see langword="null"/> without one.</returns>
    public Gap? CompleteLoss(RecordingProgress progress)
    {
        RemoveTracks([.. _tracks.Keys]);
        // Others may be in the call without having sent anything. Received bytes prove that they have.
        var unhooked = _trackless is var (_, seconds, bytes) && progress.Reception.ReceivedBytes - bytes >= MinBytesPerSecond * MinSound.TotalSeconds
            ? seconds
            : (double?)null;
        return Earlier(unhooked, TakeEnded()) is { } since ? NextGap(since, progress.RecordedSeconds) : null;
    }

    /// <summary>Forgets all tracks. Call when another page is observed.</summary>
    public void Reset()
    {
        _tracks.Clear();
        _stats = [];
        _observedAt = DateTimeOffset.MinValue;
        (_trackless, _missed) = (null, default);
    }

    private void AddMissed(TimeSpan sound, DateTimeOffset now) => _missed = _missed with { Sound = _missed.Sound + sound, LastAt = now };

    private AudioRemedy NextRemedy(bool isStalled, DateTimeOffset now) => _tried switch
    {
        AudioRemedy.None => isStalled ? AudioRemedy.RestartCapture : AudioRemedy.RehookTracks,
        AudioRemedy.Warn => now - _triedAt >= RetryInterval ? (isStalled ? AudioRemedy.RestartCapture : AudioRemedy.RehookTracks) : AudioRemedy.None,
        _ when now - _triedAt < RemedyTimeout => AudioRemedy.None,
        AudioRemedy.RehookTracks => AudioRemedy.RestartCapture,
        _ => AudioRemedy.Warn,
    };

    /// <summary>The part of the gap since the last call. Gaps are reported in parts, in case the recorder is killed.</summary>
    private Gap? NextGap(double? since, double recorded)
    {
        var from = Math.Max(since ?? recorded, Math.Min(_gapFrom, recorded));
        _gapFrom = recorded;
        return recorded > from ? new(from, recorded, GapCause.NotHeard) : null;
    }

    private void Compare(RecordingProgress progress, DateTimeOffset now)
    {
        RemoveTracks([.. _tracks.Keys.Except(progress.TrackStats.Select(stats => stats.Track))]);
        foreach (var stats in progress.TrackStats)
        {
            if (_tracks.TryGetValue(stats.Track, out var track))
                _endedSince = Earlier(_endedSince, track.Compare(stats, progress, now - _statsAt, now));
            else
                _tracks[stats.Track] = new(stats, progress, now);
        }
    }

    /// <summary>A track that ends in doubt was not recorded until its end.</summary>
    private void RemoveTracks(IReadOnlyList<int> numbers)
    {
        foreach (var number in numbers)
        {
            if (_tracks.Remove(number, out var track) && track.IsInDoubt)
                _endedSince = Earlier(_endedSince, track.SinceSeconds);
        }
    }

    private double? TakeEnded()
    {
        var since = _endedSince;
        _endedSince = null;
        return since;
    }

    private static double? Earlier(double? first, double? second) => first is { } one && second is { } other ? Math.Min(one, other) : first ?? second;

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>One track: its figures now, and when received and recorded audio last agreed.</summary>
    private sealed class TrackState(TrackStats stats, RecordingProgress progress, DateTimeOffset now)
    {
        private TrackStats _agreed = stats;
        private TrackStats _last = stats;
        private long _agreedAudible = progress.AudiblePackets;
        private DateTimeOffset _since = now;
        private TimeSpan _unrecorded;
        private int _comparisonsMissed;

        /// <summary>The position on the time line at which they last agreed.</summary>
        public double SinceSeconds { get; private set; } = progress.RecordedSeconds;

        public bool IsInDoubt => _unrecorded >= MinSound;

        /// <summary>Sound arrived since the last comparison, and none of the track's audio is recorded.</summary>
        public bool IsSoundMissed { get; private set; }

        public bool IsLost(DateTimeOffset now) => IsInDoubt && now - _since >= Timeout;

        /// <summary>How long the connection has reported nothing while none of the track's audio was recorded.</summary>
        public TimeSpan WithoutStats { get; private set; }

        public bool LacksStats => WithoutStats >= Timeout;

        /// <returns>The position at which a fault began that ended by itself; <see langword="null"/> without one.</returns>
        public double? Compare(TrackStats stats, RecordingProgress progress, TimeSpan elapsed, DateTimeOffset now)
        {
            if (stats.AreMissing)
                stats = stats with { ReceivedBytes = _last.ReceivedBytes, ReceivedEnergy = _last.ReceivedEnergy };
            var seconds = Math.Max(0.1, elapsed.TotalSeconds);
            var isAudible = stats.ReceivedEnergy - _last.ReceivedEnergy >= AudibleReceivedPower * seconds;
            var isSounding = isAudible
                || (stats.ReceivedBytes - _last.ReceivedBytes >= MinBytesPerSecond * seconds && stats.CapturedSeconds <= _agreed.CapturedSeconds);
            _last = stats;
            if (isSounding)
                _unrecorded += elapsed;
            var isCaptured = stats.CapturedEnergy - _agreed.CapturedEnergy >= AudibleCapturedEnergy;
            var isRecorded = isCaptured && progress.AudiblePackets > _agreedAudible;
            if (isAudible && !isCaptured)
                _comparisonsMissed++;
            IsSoundMissed = isSounding && !isRecorded;
            WithoutStats = stats.AreMissing && !isRecorded ? WithoutStats + elapsed : TimeSpan.Zero;
            if (!isRecorded && _unrecorded > TimeSpan.Zero)
                return null;
            var ended = _comparisonsMissed >= MinComparisons ? SinceSeconds : (double?)null;
            (_agreed, _agreedAudible, _since, _unrecorded, _comparisonsMissed) = (stats, progress.AudiblePackets, now, TimeSpan.Zero, 0);
            SinceSeconds = progress.RecordedSeconds;
            return ended;
        }

        public string Describe(int track, DateTimeOffset now) => Invariant(
            $"Track {track} is received but not recorded: in {(now - _since).TotalSeconds:0} s, {_last.ReceivedBytes - _agreed.ReceivedBytes} bytes arrived, {_unrecorded.TotalSeconds:0} s of them with sound; {_last.CapturedSeconds - _agreed.CapturedSeconds:0.0} s were captured, {Level(_last.CapturedEnergy - _agreed.CapturedEnergy, now - _since)}.");

        private static string Level(double energy, TimeSpan over) =>
            energy <= 0 ? "all silent" : Invariant($"at {10 * Math.Log10(energy / over.TotalSeconds):0} dBFS");
    }
}

/// <summary>How to restore the audio, the least disruptive first.</summary>
internal enum AudioRemedy
{
    None,

    /// <summary>Hook every track again.</summary>
    RehookTracks,

    /// <summary>Hook every track again and start another encoder.</summary>
    RestartCapture,

    /// <summary>Nothing has helped: report a warning and keep recording.</summary>
    Warn,
}

/// <param name="Remedy">The remedy to apply now.</param>
/// <param name="Lost">The part of the time line that became a gap since the last check.</param>
internal readonly record struct AudioCheck(AudioRemedy Remedy, Gap? Lost);
