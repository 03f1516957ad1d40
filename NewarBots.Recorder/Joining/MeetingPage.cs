using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Logging;
using Microsoft.Playwright;
using NewarBots.Contract;
using NewarBots.Recorder.Recording;
using NewarBots.Recorder.Reporting;

namespace NewarBots.Recorder.Joining;

/// <summary>
/// The meeting's page in the browser: the only place that looks at it and acts on it. A page that navigates, hangs or dies
/// never makes a call here throw: it shows nothing, and <see cref="Gone"/> tells.
/// </summary>
internal sealed partial class MeetingPage
{
    private static readonly TimeSpan OpeningPatience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan AnswerPatience = TimeSpan.FromSeconds(30);
    private static readonly string LookScript = EmbeddedText.Read("Joining.look.js");

    private readonly IPage _page;
    private readonly CaptureHook _hook;
    private readonly SelectorPack _selectors;
    private readonly Dictionary<string, PageSign> _signs;
    private readonly string _look;
    private readonly Evidence _evidence;
    private readonly TimeProvider _time;
    private readonly ILogger<MeetingPage> _logger;
    private readonly OtherRecorders _recorders;
    private string? _shown;
    private long? _unseenSince;
    private string? _gone;

    public MeetingPage(
        IPage page, CaptureHook hook, SelectorPack selectors, OtherRecorders recorders, Evidence evidence, TimeProvider time, ILogger<MeetingPage> logger)
    {
        (_page, _hook, _selectors, _recorders, _evidence, _time, _logger) = (page, hook, selectors, recorders, evidence, time, logger);
        _signs = selectors.Entries.ToDictionary(entry => entry.Id, entry => entry.Sign);
        _look = $"() => ({LookScript})({JsonSerializer.Serialize(selectors, LookJson.Default.SelectorPack)}.entries, () => {hook.IsCapturingExpression})";
        page.Crash += (_, _) => _gone ??= "The page crashed.";
        page.Close += (_, _) => _gone ??= "The page was closed.";
        page.Context.Close += (_, _) => _gone ??= "The browser is gone.";
        evidence.Watch(page);
    }

    /// <summary>Why there is no page any more; <see langword="null"/> while there is one.</summary>
    public string? Gone => Volatile.Read(ref _gone);

    /// <summary>The selector pack's name and version.</summary>
    public string Selectors => $"{_selectors.Name} {_selectors.Version}";

    /// <returns><see langword="null"/> where the page came; else why not.</returns>
    public async Task<JoinOutcome?> OpenAsync(Uri meetingUrl)
    {
        LogOpens(meetingUrl, _selectors.Name, _selectors.Version);
        using var activity = RecorderActivity.Start("page open");
        try
        {
            var response = await _page.GotoAsync(InEnglish(meetingUrl).AbsoluteUri, new()
            {
                WaitUntil = WaitUntilState.Commit,
                Timeout = (float)OpeningPatience.TotalMilliseconds,
            });
            return response is { Status: var status } && RefusalIn(status) is { } refusal ? new(refusal, $"{meetingUrl} answered {status}.") : null;
        }
        catch (Exception exception) when (exception is PlaywrightException or TimeoutException)
        {
            return Gone is { } gone
                ? new(EndReason.BrowserCrashed, gone)
                : new(EndReason.JoinFailed, $"{meetingUrl} cannot be opened: {exception.Message.Split('\n')[0]}");
        }
    }

    /// <returns>What a page's HTTP status says against joining; <see langword="null"/> where it says nothing.</returns>
    internal static EndReason? RefusalIn(int status) => status switch
    {
        < 400 => null,
        401 => EndReason.LoginRequired,
        403 or 429 => EndReason.BlockedByPlatform,
        // Of the meeting that says nothing.
        >= 500 => EndReason.JoinFailed,
        _ => EndReason.MeetingNotFound,
    };

    public async Task<PageView> LookAsync()
    {
        try
        {
            var answer = await _page.EvaluateAsync<JsonElement>(_look).WaitAsync(AnswerPatience, _time);
            var view = Read(answer.Deserialize(LookJson.Default.SeenPage)!);
            _unseenSince = null;
            if (view.Entries != _shown)
            {
                _shown = view.Entries;
                LogSeen(view.Entries);
                Activity.Current?.AddEvent(new("page.seen", tags: new() { ["newarbots.page.entries"] = view.Entries }));
                _evidence.Saw(view);
            }

            return view;
        }
        catch (Exception exception) when (exception is PlaywrightException or JsonException)
        {
            // Between two documents there is nothing to be seen, or a page gives what nobody asked for; but not for long.
            LogCannotLook(exception.Message);
            _unseenSince ??= _time.GetTimestamp();
            if (_time.GetElapsedTime(_unseenSince.Value) >= AnswerPatience)
                _gone ??= $"The page could not be looked at for {AnswerPatience.TotalSeconds:0} s.";
        }
        catch (TimeoutException)
        {
            _gone ??= $"The page did not answer for {AnswerPatience.TotalSeconds:0} s.";
        }

        return PageView.Nothing;
    }

    private PageView Read(SeenPage seen)
    {
        var matches = seen.Matches.Select(match => new PageMatch(
            match.Entry,
            _signs[match.Entry],
            match.X is { } x && match.Y is { } y ? new(x, y, match.Free) : null,
            match.Value,
            match.Number,
            match.Names)).ToList();
        var view = new PageView(seen.Url, seen.Title, seen.Capturing, matches);
        return view with
        {
            OtherRecorders = _recorders.CountIn(
                [.. matches.Where(match => match.Sign is PageSign.Participant).SelectMany(match => match.Names ?? [])],
                view.IsInCall ? view.Find(PageSign.ParticipantCount)?.Number : null),
        };
    }

    public Task ClickAsync(PageMatch target) =>
        TryAsync(() => _page.Mouse.ClickAsync((float)target.Place!.X, (float)target.Place.Y));

    public Task FillAsync(PageMatch box, string text) => TryAsync(async () =>
    {
        await _page.Mouse.ClickAsync((float)box.Place!.X, (float)box.Place.Y, new() { ClickCount = 3 });
        await _page.Keyboard.InsertTextAsync(text);
    });

    /// <summary>As who has no mouse does it: reaches what lies behind something else.</summary>
    public Task PressAsync(PageMatch target) => TryAsync(async () =>
    {
        await _page.EvaluateAsync(
            "([x, y]) => document.elementsFromPoint(x, y).map(element => element.closest('button, [role=button], a[href]')).find(control => control)?.focus()",
            (double[])[target.Place!.X, target.Place.Y]);
        await _page.Keyboard.PressAsync("Enter");
    });

    /// <summary>The call's toolbar hides itself until the mouse moves.</summary>
    public Task ShowToolbarAsync() => TryAsync(async () =>
    {
        await _page.Mouse.MoveAsync(200, 200);
        await _page.Mouse.MoveAsync(240, 220);
    });

    /// <summary>Leaves as a guest does, by the button, and returns once the call is gone.</summary>
    public async Task LeaveAsync()
    {
        await ShowToolbarAsync();
        for (var view = await LookAsync(); view.Find(PageSign.LeaveButton) is { Place: not null } button; view = await LookAsync())
        {
            await ClickAsync(button);
            await Task.Delay(TimeSpan.FromMilliseconds(100), _time);
        }
    }

    /// <summary>Begins to encode, or goes on where that was begun.</summary>
    public Task StartCaptureAsync() => TryAsync(() => _hook.StartAsync(_page));

    /// <inheritdoc cref="CaptureHook.HearAgainAsync"/>
    public Task HearAgainAsync() => TryAsync(() => _hook.HearAgainAsync(_page));

    /// <inheritdoc cref="CaptureHook.BeginAgainAsync"/>
    public Task BeginCaptureAgainAsync() => TryAsync(() => _hook.BeginAgainAsync(_page));

    /// <summary>Ends the encoding; the last packets are on their way when it returns.</summary>
    public Task StopCaptureAsync() => TryAsync(() => _hook.StopAsync(_page));

    /// <summary>Frees what the page and its ear do not need any more; it holds them up for some milliseconds.</summary>
    public Task CollectGarbageAsync() => TryAsync(() => _page.RequestGCAsync());

    /// <returns>A PNG.</returns>
    public Task<byte[]?> ScreenshotAsync() => TryAsync<byte[]?>(async () => await _page.ScreenshotAsync(new() { Animations = ScreenshotAnimations.Disabled }));

    public Task<string?> ReadHtmlAsync() => TryAsync<string?>(async () => await _page.ContentAsync());

    /// <returns>What <c>getStats</c> says of every connection, as JSON.</returns>
    public Task<string?> ReadConnectionsAsync() => TryAsync(() => _hook.ReadConnectionsAsync(_page));

    private async Task TryAsync(Func<Task> act) => await TryAsync<object?>(async () =>
    {
        await act();
        return null;
    });

    private async Task<T?> TryAsync<T>(Func<Task<T?>> act)
    {
        try
        {
            return await act().WaitAsync(AnswerPatience, _time);
        }
        catch (Exception exception) when (exception is PlaywrightException or TimeoutException)
        {
            LogCannotAct(exception.Message);
            return default;
        }
    }

    /// <summary>Google Meet speaks the language that the address asks for.</summary>
    private static Uri InEnglish(Uri meetingUrl)
    {
        if (meetingUrl.Host != "meet.google.com")
            return meetingUrl;
        var query = string.Join('&', meetingUrl.Query.TrimStart('?').Split('&')
            .Where(part => part.Length > 0 && !part.StartsWith("hl=", StringComparison.Ordinal))
            .Append("hl=en"));
        return new UriBuilder(meetingUrl) { Query = query }.Uri;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Opens {Url} (selectors {Pack} {Version})")]
    private partial void LogOpens(Uri url, string pack, string version);

    [LoggerMessage(Level = LogLevel.Information, Message = "The page shows [{Entries}]")]
    private partial void LogSeen(string entries);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Cannot look at the page: {Why}")]
    private partial void LogCannotLook(string why);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Cannot act on the page: {Why}")]
    private partial void LogCannotAct(string why);
}

/// <summary>The answer of look.js.</summary>
internal sealed record SeenPage(string Url, string Title, bool Capturing, SeenMatch[] Matches);

internal sealed record SeenMatch(string Entry, double? X, double? Y, bool Free, string? Value, int? Number, string[]? Names);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(SeenPage))]
[JsonSerializable(typeof(SelectorPack))]
internal sealed partial class LookJson : JsonSerializerContext;
