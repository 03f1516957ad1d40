using System.Diagnostics.Metrics;
using NewarBots.Contract;
using NewarBots.Manager.Hosting;
using NewarBots.ServiceDefaults;

namespace NewarBots.Manager.Bots;

/// <summary>
/// The manager's metrics, described in <c>docs/telemetry.md</c>. No tag holds a bot, a user or a meeting, so the number of series stays
/// small.
/// </summary>
internal sealed class BotMetrics
{
    private const string Seconds = "s";
    private const string StatusTag = "newarbots.bot.status";
    private const string ReasonTag = "newarbots.bot.reason";
    private const string CauseTag = "newarbots.gap.cause";
    private const string OutcomeTag = "newarbots.outcome";
    private const string OperationTag = "newarbots.operation";
    private const string ErrorTypeTag = "error.type";

    /// <summary>For milliseconds to seconds.</summary>
    private static readonly InstrumentAdvice<double> Short = new()
    {
        HistogramBucketBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    };

    /// <summary>For seconds to hours.</summary>
    private static readonly InstrumentAdvice<double> Long = new()
    {
        HistogramBucketBoundaries = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600],
    };

    private readonly Histogram<double> _queue;
    private readonly Histogram<double> _launch;
    private readonly Histogram<double> _toRecording;
    private readonly Counter<double> _recorded;
    private readonly Counter<long> _chunks;
    private readonly Histogram<double> _gap;
    private readonly Histogram<double> _finalization;
    private readonly Counter<long> _ends;
    private readonly Counter<long> _endFailures;
    private readonly Counter<long> _overBudget;
    private readonly Histogram<double> _webhook;
    private readonly Counter<long> _dropped;
    private readonly Histogram<double> _docker;
    private readonly Histogram<double> _redis;
    private readonly Histogram<long> _memory;
    private readonly Histogram<double> _cpu;

    private volatile IReadOnlyDictionary<BotStatus, int>? _active;

    public BotMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(TelemetryNames.Manager);
        meter.CreateObservableGauge("newarbots.bots", CountActive, "{bot}", "Bots that have not ended, by status; the queued ones are the length of the queue.");
        _queue = meter.CreateHistogram("newarbots.queue.duration", Seconds, "How long bots waited for their launch.", advice: Long);
        _launch = meter.CreateHistogram("newarbots.launch.duration", Seconds, "How long it took to create and start a bot's container.", advice: Short);
        _toRecording = meter.CreateHistogram("newarbots.time_to_recording", Seconds, "From the request, or the scheduled start, to the first recorded second.", advice: Long);
        _recorded = meter.CreateCounter<double>("newarbots.recorded", Seconds, "Recorded audio, as reported by bots.");
        _chunks = meter.CreateCounter<long>("newarbots.chunks", "{chunk}", "Chunks begun, as reported by bots.");
        _gap = meter.CreateHistogram("newarbots.gap.duration", Seconds, "Gaps in finished recordings, by cause.", advice: Long);
        _finalization = meter.CreateHistogram("newarbots.finalization.duration", Seconds, "How long it took to assemble a bot's chunks into a recording.", advice: Long);
        _ends = meter.CreateCounter<long>("newarbots.bot.ends", "{bot}", "Bots that ended, by status and reason.");
        _endFailures = meter.CreateCounter<long>("newarbots.bot.end.failures", "{attempt}", "Failed attempts to end a bot, by cause.");
        _overBudget = meter.CreateCounter<long>("newarbots.bots.over_budget", "{bot}", "Bots that wrote more than their recording can need.");
        _webhook = meter.CreateHistogram("newarbots.webhook.duration", Seconds, "How long a webhook's receiver took to answer.", advice: Short);
        _dropped = meter.CreateCounter<long>("newarbots.webhook.dropped", "{message}", "Pending messages to webhooks that were deleted because their user had too many.");
        _docker = meter.CreateHistogram("newarbots.docker.duration", Seconds, "How long the engine took to answer.", advice: Short);
        _redis = meter.CreateHistogram("newarbots.redis.duration", Seconds, "How long Redis took to answer.", advice: Short);
        _memory = meter.CreateHistogram(
            "newarbots.bot.memory.usage", "By", "Memory of a bot's container, per sample.",
            advice: new InstrumentAdvice<long> { HistogramBucketBoundaries = [.. MemoryMiB.Select(size => size * 1024 * 1024)] });
        _cpu = meter.CreateHistogram(
            "newarbots.bot.cpu.usage", "{cpu}", "CPUs that a bot's container kept busy since the previous sample.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.5, 2] });
    }

    private static readonly long[] MemoryMiB = [64, 128, 192, 256, 320, 384, 512, 640, 768, 1024, 1280, 1536, 1792, 2048];

    /// <summary>Whether container usage is collected.</summary>
    public bool IsUsageWanted => _memory.Enabled || _cpu.Enabled;

    public bool IsRedisWanted => _redis.Enabled;

    /// <param name="underWay">All bots that have left the queue and have not ended; <see langword="null"/> while they are unknown.</param>
    /// <param name="queued">The number of queued bots.</param>
    /// <param name="scheduled">The number of scheduled bots.</param>
    public void SeeActive(IEnumerable<Bot>? underWay, int queued = 0, int scheduled = 0) => _active = underWay is null
        ? null
        : new Dictionary<BotStatus, int>(underWay.CountBy(bot => bot.Status)) { [BotStatus.Queued] = queued, [BotStatus.Scheduled] = scheduled };

    /// <summary>A bot's record was changed. The manager that changed it calls this once per change.</summary>
    public void Changed(Bot before, Bot after, DateTimeOffset now)
    {
        if (before.Status is BotStatus.Queued && after.Status is BotStatus.Launching)
            _queue.Record((now - after.DueAt).TotalSeconds);
        if (before.RecordingAt is null && after.RecordingAt is { } recordingAt)
            _toRecording.Record(Math.Max(0, (recordingAt - after.DueAt).TotalSeconds));
        if (after.RecordedSeconds > before.RecordedSeconds)
            _recorded.Add(after.RecordedSeconds - before.RecordedSeconds);
        if (after.Chunks > before.Chunks)
            _chunks.Add(after.Chunks - before.Chunks);
        if (after.Status.IsTerminal() && !before.Status.IsTerminal())
            _ends.Add(1, Tag(StatusTag, WireWord.Of(after.Status)), Tag(ReasonTag, after.Reason is { } reason ? WireWord.Of(reason) : null));
    }

    public void Launched(TimeSpan took) => _launch.Record(took.TotalSeconds, Tag(OutcomeTag, "launched"));

    /// <param name="took">Until the failure.</param>
    /// <param name="why">The failure.</param>
    /// <param name="isTriedAgain">Whether the launch will be retried.</param>
    public void NotLaunched(TimeSpan took, Exception why, bool isTriedAgain) =>
        _launch.Record(took.TotalSeconds, Tag(OutcomeTag, isTriedAgain ? "postponed" : "failed"), Tag(ErrorTypeTag, ErrorTypeOf(why)));

    public void Finalized(TimeSpan took, FinalizationResult result)
    {
        var recorded = result as FinalizationResult.Recorded;
        _finalization.Record(took.TotalSeconds, Tag(OutcomeTag, recorded is null ? "nothing_recorded" : "recorded"));
        // A journal could hold any cause; only known ones become a series.
        foreach (var gap in recorded?.Gaps ?? [])
            _gap.Record(gap.EndSeconds - gap.StartSeconds, Tag(CauseTag, GapCause.All.Contains(gap.Cause) ? gap.Cause : "other"));
    }

    public void NotFinalized(TimeSpan took, Exception why) =>
        _finalization.Record(took.TotalSeconds, Tag(OutcomeTag, "failed"), Tag(ErrorTypeTag, ErrorTypeOf(why)));

    /// <summary>An attempt to end a bot failed and will be retried.</summary>
    public void EndPostponed(FailureCause cause) =>
        _endFailures.Add(1, Tag(ErrorTypeTag, cause.ToString().ToLowerInvariant()));

    /// <summary>A bot's folder holds more than its recording can need.</summary>
    public void OverBudget() => _overBudget.Add(1);

    /// <param name="took">Until the receiver answered or the attempt failed.</param>
    /// <param name="outcome">The delivery's status afterwards; <c>pending</c> means a retry.</param>
    public void Notified(TimeSpan took, string outcome) => _webhook.Record(took.TotalSeconds, Tag(OutcomeTag, outcome));

    /// <summary>Pending messages to webhooks were deleted, because all messages of their user take too much space.</summary>
    public void MessagesDropped(long count) => _dropped.Add(count);

    /// <param name="took">Until the engine answered or the call failed.</param>
    /// <param name="operation">The kind of call; one of a few words.</param>
    /// <param name="failure"><see langword="null"/> if it succeeded.</param>
    public void AskedDocker(TimeSpan took, string operation, Exception? failure)
    {
        if (failure is null)
            _docker.Record(took.TotalSeconds, Tag(OperationTag, operation));
        else
            _docker.Record(took.TotalSeconds, Tag(OperationTag, operation), Tag(ErrorTypeTag, ErrorTypeOf(failure)));
    }

    /// <param name="took">From the call to the answer.</param>
    /// <param name="command">The name of the Redis command.</param>
    public void AskedRedis(TimeSpan took, string command) => _redis.Record(took.TotalSeconds, Tag(OperationTag, command));

    /// <param name="memoryBytes">The container's current memory.</param>
    /// <param name="cpus">CPUs kept busy since the previous sample; <see langword="null"/> for the first sample.</param>
    public void Used(long memoryBytes, double? cpus)
    {
        _memory.Record(memoryBytes);
        if (cpus is { } busy)
            _cpu.Record(busy);
    }

    /// <summary>Statuses without bots are reported as 0, so that a chart returns to 0.</summary>
    private IEnumerable<Measurement<int>> CountActive() =>
        _active is { } active
            ? Enum.GetValues<BotStatus>().Where(status => !status.IsTerminal())
                .Select(status => new Measurement<int>(active.GetValueOrDefault(status), Tag(StatusTag, WireWord.Of(status))))
            : [];

    private static string? ErrorTypeOf(Exception exception) => exception switch
    {
        IErrorType { ErrorType: var type } => type,
        _ => exception.GetType().FullName,
    };

    private static KeyValuePair<string, object?> Tag(string name, string? value) => new(name, value);
}

/// <summary>An exception with its own value for the tag <c>error.type</c>.</summary>
internal interface IErrorType
{
    string ErrorType { get; }
}
