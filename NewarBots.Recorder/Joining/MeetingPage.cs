using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Logging;
using Microsoft.Playwright;
using NewarBots.Contract;
using NewarBots.Recorder.Hosting;
using NewarBots.Recorder.Recording;
using NewarBots.Recorder.Reporting;

namespace NewarBots.Recorder.Joining;

/// <summary>
/// The meeting's page in the browser. Only this type looks at it and acts on it. No method throws if the page navigates, hangs or crashes:
/// the page then shows nothing, and <see cref="Gone"/> has the reason.
/// </summary>
internal sealed partial class MeetingPage : ICapturedPage, IEvidencePage, IScreenshotPage
{
    private static readonly TimeSpan OpenTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ResponseTimeout = TimeSpan.FromSeconds(30);
    private static readonly string LookScript = EmbeddedFile.ReadText("Joining.look.js");

    private readonly IPage _page;
    private readonly CaptureHook _hook;
    private readonly SelectorPack _selectors;
    private readonly Dictionary<string, PageSign> _signs;
    private readonly string _look;
    private readonly Evidence _evidence;
    private readonly TimeProvider _time;
    private readonly ILogger<MeetingPage> _logger;
    private readonly OtherRecorders _recorders;
    private readonly LeaveQuestion _question;
    private readonly HashSet<string> _dialogs = [];
    private string? _shownEntries;
    private long? _failingSince;
    private string? _gone;
    private PageDrop? _drop;

    public MeetingPage(
        IPage page, CaptureHook hook, SelectorPack selectors, OtherRecorders recorders, Evidence evidence, TimeProvider time, ILogger<MeetingPage> logger)
    {
        (_page, _hook, _selectors, _recorders, _evidence, _time, _logger) = (page, hook, selectors, recorders, evidence, time, logger);
        _question = new(selectors);
        _signs = selectors.Entries.ToDictionary(entry => entry.Id, entry => entry.Sign);
        _look = $"target => ({LookScript})({JsonSerializer.Serialize(selectors, LookJson.Default.SelectorPack)}, () => {hook.IsCapturingExpression}, () => {hook.ReceivedBytesExpression}, target)";
        page.Crash += (_, _) => _gone ??= "The page crashed.";
        page.Close += (_, _) => _gone ??= "The page was closed.";
        // Google Meet throws it when it gives up the session. The page may go on to ask the guest to wait.
        page.PageError += (_, error) =>
        {
            if (error.Contains("DisconnectedError", StringComparison.Ordinal))
                Volatile.Write(ref _drop, new(error.Split('\n')[0], (_drop?.Count ?? 0) + 1));
        };
        page.Context.Close += (_, _) => _gone ??= "The browser exited.";
        evidence.Watch(page);
    }

    /// <summary>Why the page no longer exists; <see langword="null"/> while it does.</summary>
    public string? Gone => Volatile.Read(ref _gone);

    /// <summary>The selector pack's name and version.</summary>
    public string Selectors => $"{_selectors.Name} {_selectors.Version}";

    /// <returns><see langword="null"/> if the page opened, otherwise the reason why not.</returns>
    public async Task<JoinOutcome?> OpenAsync(Uri meetingUrl)
    {
        LogOpening(meetingUrl, _selectors.Name, _selectors.Version);
        using var activity = RecorderActivity.Start("page open");
        try
        {
            var response = await _page.GotoAsync(InEnglish(meetingUrl).AbsoluteUri, new()
            {
                WaitUntil = WaitUntilState.Commit,
                Timeout = (float)OpenTimeout.TotalMilliseconds,
            });
            return response is { Status: var status } && RefusalIn(status) is { } refusal
                ? new(refusal, $"{meetingUrl} responded with status {status}.") { IsUnreachable = refusal is EndReason.JoinFailed }
                : null;
        }
        catch (Exception exception) when (exception is PlaywrightException or TimeoutException)
        {
            return Gone is { } gone
                ? new(EndReason.BrowserCrashed, gone)
                : new(EndReason.JoinFailed, $"{meetingUrl} could not be opened: {exception.Message.Split('\n')[0]}") { IsUnreachable = true };
        }
    }

    /// <returns>Why a page with this HTTP status cannot be joined; <see langword="null"/> if it may.</returns>
    internal static EndReason? RefusalIn(int status) => status switch
    {
        < 400 => null,
        401 => EndReason.LoginRequired,
        403 or 429 => EndReason.BlockedByPlatform,
        // A server error says nothing about the meeting.
        >= 500 => EndReason.JoinFailed,
        _ => EndReason.MeetingNotFound,
    };

    public async Task<PageView> LookAsync()
    {
        try
        {
            var answer = await _page.EvaluateAsync<JsonElement>(_look).WaitAsync(ResponseTimeout, _time);
            var view = Read(answer.Deserialize(LookJson.Default.SeenPage)!) with { Drop = Volatile.Read(ref _drop) };
            _failingSince = null;
            foreach (var dialog in view.Dialogs.Where(dialog => _dialogs.Add($"{dialog}")))
                _evidence.AddLook($"dialog {dialog}");
            if (_dialogs.Count > view.Dialogs.Count)
                _dialogs.IntersectWith(view.Dialogs.Select(dialog => $"{dialog}"));
            if (view.Entries != _shownEntries)
            {
                _shownEntries = view.Entries;
                LogShows(view.Entries);
                Activity.Current?.AddEvent(new("page.seen", tags: new() { ["newarbots.page.entries"] = view.Entries }));
                _evidence.AddLook($"{view.Url} \"{view.Title}\" shows [{view.Entries}]");
            }

            return view;
        }
        catch (Exception exception) when (exception is PlaywrightException or JsonException)
        {
            // Looking fails during a navigation, and when the page breaks the script. Both are tolerated for a while.
            LogLookFailed(exception.Message);
            _failingSince ??= _time.GetTimestamp();
            if (_time.GetElapsedTime(_failingSince.Value) >= ResponseTimeout)
                _gone ??= $"The page could not be inspected for {ResponseTimeout.TotalSeconds:0} s.";
        }
        catch (TimeoutException)
        {
            _gone ??= $"The page did not respond for {ResponseTimeout.TotalSeconds:0} s.";
        }

        return PageView.Failed with { Drop = Volatile.Read(ref _drop) };
    }

    private PageView Read(SeenPage seen)
    {
        var matches = seen.Matches.Select(match => new PageMatch(
            match.Entry,
            _signs[match.Entry],
            match.X is { } x && match.Y is { } y ? new(x, y, match.Free) : null,
            match.Value,
            match.Number,
            match.Names)
        {
            Persons = match.Persons,
            IsHidden = match.Hidden,
            IsInModal = match.InModal,
            IsPart = match.Part,
        }).ToList();
        var view = new PageView(seen.Url, seen.Title, seen.Capturing, matches)
        {
            Dialogs = [.. seen.Dialogs
                .Select(dialog => (dialog.Candidate, Dialog: new PageDialog(dialog.Text, dialog.Modal, [.. dialog.Buttons.Select(ButtonOf)])))
                .Where(found => !found.Candidate || _question.IsAskedBy(found.Dialog))
                .Select(found => found.Dialog)],
            ReceivedBytes = seen.ReceivedBytes,
            IsBlank = seen.Blank,
            IsConcealed = seen.Concealed,
        };
        (string, string)[] people = [.. matches.Where(match => match.Sign is PageSign.Participant).SelectMany(match => (match.Persons ?? []).Zip(match.Names ?? []))];
        var total = view.IsStillCallPage ? view.Count : null;
        var (named, recorders, isSelfShown) = _recorders.CountIn(people, total);
        return view with { NamedOthers = named, OtherRecorders = recorders, IsSelfShown = isSelfShown, People = _recorders.PeopleIn(people, total) };
    }

    private PageButton ButtonOf(SeenButton button) =>
        new(button.Name, new(button.X, button.Y, button.Free), button.Entry, button.Entry is { } entry ? _signs[entry] : null) { OtherName = button.OtherName };

    /// <summary>Clicks the button of the answer, or presses Escape, if the dialog is still open.</summary>
    public Task AnswerAsync(DialogAnswer answer) => TryAsync(async () =>
    {
        var view = await LookAtAsync(entry: null, answer.Button?.Name);
        if (view.Dialogs.FirstOrDefault(dialog => DialogAnswers.KeyOf(dialog, view) == answer.Key) is not { } dialog)
            return;
        if (answer.Button is null)
            await _page.Keyboard.PressAsync("Escape");
        else if (dialog.Buttons.FirstOrDefault(button => DialogAnswers.WithoutDigits(button.Name) == DialogAnswers.WithoutDigits(answer.Button.Name)) is { Place: { Free: true } place })
            await _page.Mouse.ClickAsync((float)place.X, (float)place.Y);
    });

    /// <summary>Clicks the control where it is now, if nothing covers it.</summary>
    public Task ClickAsync(PageMatch target) => TryAsync(async () =>
    {
        if (await FindAsync(target) is { Free: true } place)
            await _page.Mouse.ClickAsync((float)place.X, (float)place.Y);
    });

    public Task FillAsync(PageMatch box, string text) => TryAsync(async () =>
    {
        if (await FindAsync(box) is not { Free: true } place)
            return;
        await _page.Mouse.ClickAsync((float)place.X, (float)place.Y, new() { ClickCount = 3 });
        await _page.Keyboard.InsertTextAsync(text);
    });

    /// <summary>Loads the page again.</summary>
    public Task ReloadAsync() => TryAsync(() => _page.ReloadAsync(new() { WaitUntil = WaitUntilState.Commit }));

    /// <summary>Scrolls the target into view and returns where it is. The page may have changed since it was last looked at.</summary>
    private async Task<PagePlace?> FindAsync(PageMatch target) =>
        (await LookAtAsync(target.Entry, button: null)).Matches.FirstOrDefault(match => match.Entry == target.Entry)?.Place;

    /// <summary>Looks at what is about to be clicked: an entry of the selector pack, or a button of a dialog.</summary>
    private async Task<PageView> LookAtAsync(string? entry, string? button)
    {
        var answer = await _page.EvaluateAsync<JsonElement>(_look, new { entry, button });
        return Read(answer.Deserialize(LookJson.Default.SeenPage)!);
    }

    /// <summary>Focuses the control and presses Enter, which works even if something covers the control.</summary>
    public Task PressAsync(PageMatch target) => TryAsync(async () =>
    {
        if (await FindAsync(target) is not { } place)
            return;
        await _page.EvaluateAsync(
            """
            ([x, y]) => {
              const controlIn = root => root.elementsFromPoint(x, y)
                .filter(element => element.getRootNode() === root)
                .map(element => (element.shadowRoot && controlIn(element.shadowRoot)) ?? element.closest('button, [role=button], a[href]'))
                .find(control => control);
              controlIn(document)?.focus();
            }
            """,
            (double[])[place.X, place.Y]);
        await _page.Keyboard.PressAsync("Enter");
    });

    /// <summary>Moves the mouse, which makes the call's toolbar appear.</summary>
    public Task ShowToolbarAsync() => TryAsync(async () =>
    {
        await _page.Mouse.MoveAsync(200, 200);
        await _page.Mouse.MoveAsync(240, 220);
    });

    /// <summary>Clicks the leave button until the page no longer shows it.</summary>
    public async Task LeaveAsync()
    {
        await ShowToolbarAsync();
        for (var view = await LookAsync(); view.Find(PageSign.LeaveButton) is { Place: { } place }; view = await LookAsync())
        {
            await TryAsync(() => _page.Mouse.ClickAsync((float)place.X, (float)place.Y));
            await Task.Delay(TimeSpan.FromMilliseconds(100), _time);
        }
    }

    /// <inheritdoc cref="CaptureHook.StartAsync"/>
    public Task StartCaptureAsync() => TryAsync(() => _hook.StartAsync(_page));

    /// <inheritdoc cref="CaptureHook.RehookTracksAsync"/>
    public Task RehookTracksAsync() => TryAsync(() => _hook.RehookTracksAsync(_page));

    /// <inheritdoc cref="CaptureHook.RestartAsync"/>
    public Task RestartCaptureAsync() => TryAsync(() => _hook.RestartAsync(_page));

    /// <inheritdoc cref="CaptureHook.StopAsync"/>
    public Task StopCaptureAsync() => TryAsync(() => _hook.StopAsync(_page));

    /// <summary>Collects the page's garbage, which blocks the page for some milliseconds.</summary>
    public Task CollectGarbageAsync() => TryAsync(() => _page.RequestGCAsync());

    public Task<byte[]?> ScreenshotAsync() => TryAsync<byte[]?>(async () => await _page.ScreenshotAsync(new() { Animations = ScreenshotAnimations.Disabled }));

    /// <summary>A smaller picture than the evidence's, and the page's animations go on: the bot records meanwhile.</summary>
    public Task<byte[]?> LiveScreenshotAsync() =>
        TryAsync<byte[]?>(async () => await _page.ScreenshotAsync(new() { Type = ScreenshotType.Jpeg, Quality = 70, Animations = ScreenshotAnimations.Allow }));

    public Task<string?> ReadHtmlAsync() => TryAsync<string?>(async () => await _page.ContentAsync());

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
            return await act().WaitAsync(ResponseTimeout, _time);
        }
        catch (Exception exception) when (exception is PlaywrightException or TimeoutException)
        {
            LogActionFailed(exception.Message);
            return default;
        }
    }

    /// <summary>Asks Google Meet for English, the language of the selectors.</summary>
    private static Uri InEnglish(Uri meetingUrl)
    {
        if (meetingUrl.Host != "meet.google.com")
            return meetingUrl;
        var query = string.Join('&', meetingUrl.Query.TrimStart('?').Split('&')
            .Where(part => part.Length > 0 && !part.StartsWith("hl=", StringComparison.Ordinal))
            .Append("hl=en"));
        return new UriBuilder(meetingUrl) { Query = query }.Uri;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Opening {Url} (selectors {Pack} {Version})")]
    private partial void LogOpening(Uri url, string pack, string version);

    [LoggerMessage(Level = LogLevel.Information, Message = "The page shows [{Entries}]")]
    private partial void LogShows(string entries);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Inspecting the page failed, will retry: {Error}")]
    private partial void LogLookFailed(string error);

    [LoggerMessage(Level = LogLevel.Warning, Message = "An action on the page failed: {Error}")]
    private partial void LogActionFailed(string error);
}

/// <summary>The result of look.js.</summary>
internal sealed record SeenPage(
    string Url, string Title, bool Capturing, long ReceivedBytes, bool Concealed, bool Blank, SeenMatch[] Matches, SeenDialog[] Dialogs);

internal sealed record SeenMatch(
    string Entry, double? X, double? Y, bool Free, string? Value, int? Number, string[]? Names, string[]? Persons, bool Hidden, bool InModal, bool Part);

internal sealed record SeenDialog(string Text, bool Candidate, bool Modal, SeenButton[] Buttons);

internal sealed record SeenButton(string Name, string? OtherName, string? Entry, double X, double Y, bool Free);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(SeenPage))]
[JsonSerializable(typeof(SelectorPack))]
internal sealed partial class LookJson : JsonSerializerContext;
