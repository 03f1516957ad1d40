using System.Diagnostics;
using NewarBots.Contract;
using NewarBots.ServiceDefaults;

namespace NewarBots.Manager.Bots;

/// <summary>The manager's spans: one short span per step, in the trace of the request that created the bot.</summary>
internal static class BotTracing
{
    /// <summary>The bot's id, on every span.</summary>
    public const string SessionTag = "newarbots.session";

    public const string TrackTag = "newarbots.track";

    private static readonly ActivitySource Source = new(TelemetryNames.Manager);

    private const string NameTag = "newarbots.bot.name";

    private const string ErrorTypeTag = "error.type";

    /// <summary>Names the request that creates the bot. Its span is the first of the bot's trace, so this is the name of the trace.</summary>
    public static void NameRequest(Bot bot)
    {
        RequestTrace.SetName("record meeting");
        Activity.Current?.SetTag(SessionTag, bot.Id.ToString());
        Activity.Current?.SetTag(NameTag, bot.BotName);
    }

    /// <param name="name">The step as a verb, without ids: <c>bot launch</c>.</param>
    /// <param name="bot">The bot.</param>
    /// <param name="since">The start of the step, if it is recorded afterwards.</param>
    public static Activity? StartStep(string name, Bot bot, DateTimeOffset since = default)
    {
        var parent = ActivityContext.TryParse(bot.TraceParent, traceState: null, isRemote: true, out var known) ? known : default;
        var activity = Source.StartActivity(name, ActivityKind.Internal, parent, startTime: since);
        activity?.SetTag(SessionTag, bot.Id.ToString());
        return activity;
    }

    /// <summary>
    /// Begins a new trace for a scheduled bot, linked to its request. In the trace of the request, days of waiting would dwarf every
    /// other span.
    /// </summary>
    public static Activity? StartLife(string name, Bot bot)
    {
        ActivityLink[] links = ActivityContext.TryParse(bot.TraceParent, traceState: null, isRemote: true, out var asked) ? [new(asked)] : [];
        var activity = Source.StartActivity(name, ActivityKind.Internal, parentContext: default, links: links);
        activity?.SetTag(SessionTag, bot.Id.ToString());
        activity?.SetTag(NameTag, bot.BotName);
        return activity;
    }

    /// <summary>Drops a span without a result, so that it is not exported.</summary>
    public static void Forget(this Activity? activity)
    {
        if (activity is not null)
            activity.ActivityTraceFlags = ActivityTraceFlags.None;
    }

    /// <summary>Starts a part of the current step.</summary>
    public static Activity? StartPart(string name)
    {
        var step = Activity.Current;
        return Source.StartActivity(name)?.SetTag(SessionTag, step?.GetTagItem(SessionTag));
    }

    /// <summary>Records a part of a step that another process has done.</summary>
    /// <param name="name">As in <see cref="StartPart"/>.</param>
    /// <param name="parent">The part that contains it; <see langword="null"/> for the current step.</param>
    /// <param name="startedAt">Its start.</param>
    /// <param name="took">Its duration.</param>
    public static Activity? RecordPart(string name, Activity? parent, DateTimeOffset startedAt, TimeSpan took)
    {
        parent ??= Activity.Current;
        var part = Source.StartActivity(name, ActivityKind.Internal, parent?.Context ?? default, startTime: startedAt)
            ?.SetTag(SessionTag, parent?.GetTagItem(SessionTag));
        part?.SetEndTime((startedAt + took).UtcDateTime);
        return part;
    }

    /// <summary>Runs a part of the current step; an exception marks its span as failed.</summary>
    public static async Task<T> InPartAsync<T>(string name, Func<Task<T>> act)
    {
        using var part = StartPart(name);
        try
        {
            return await act();
        }
        catch (Exception exception)
        {
            part.Fail(exception);
            throw;
        }
    }

    public static void Fail(this Activity? activity, Exception exception)
    {
        activity?.SetStatus(ActivityStatusCode.Error, exception.Message);
        activity?.SetTag(ErrorTypeTag, exception.GetType().FullName);
        activity?.AddException(exception);
    }

    public static void TagOutcome(this Activity? activity, Bot bot)
    {
        activity?.SetTag("newarbots.bot.status", WireWord.Of(bot.Status));
        if (bot.Reason is { } reason)
            activity?.SetTag("newarbots.bot.reason", WireWord.Of(reason));
        if (bot.Status is not BotStatus.Failed)
            return;
        activity?.SetStatus(ActivityStatusCode.Error, bot.Error);
        activity?.SetTag(ErrorTypeTag, bot.Reason is { } why ? WireWord.Of(why) : "_OTHER");
    }
}
