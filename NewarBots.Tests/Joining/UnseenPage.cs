using System.Globalization;
using System.Text.RegularExpressions;
using NewarBots.Contract;
using NewarBots.Manager.Recordings;
using NewarBots.Tests.Fixtures;
using NewarBots.Tests.Lives;
using NewarBots.Tests.Rehearsal;

namespace NewarBots.Tests.Joining;

/// <summary>A page of <c>UnseenPages/</c> and the outcome that its header comment promises, one <c>Key: value</c> a line.</summary>
internal sealed partial class UnseenPage
{
    private readonly ILookup<string, string> _header;

    private UnseenPage(string name, string html)
    {
        (Name, Html) = (name, html);
        var comment = html.Split("<!--", 2)[1].Split("-->", 2)[0];
        _header = HeaderLine().Matches(comment).ToLookup(line => line.Groups["key"].Value, line => line.Groups["value"].Value.Trim());
    }

    /// <summary>The folder of the pages and their script and style.</summary>
    public static string Folder { get; } = Repository.PathOf("NewarBots.Tests", "Joining", "UnseenPages");

    public static IReadOnlyList<UnseenPage> All { get; } =
        [.. Directory.GetFiles(Folder, "*.html").Order(StringComparer.Ordinal).Select(path => new UnseenPage(Path.GetFileNameWithoutExtension(path), File.ReadAllText(path)))];

    public string Name { get; }

    public string Html { get; }

    /// <summary>One page of each kind.</summary>
    public bool IsRepresentative => _header["Suite"].Contains("main");

    /// <summary>
    /// The conditions of the header. A recorder that stays for three times as long as promised, which takes more than a busy machine, is ended by its
    /// maximum duration, which is never the promised reason.
    /// </summary>
    public LeaveConditions Leave => Pairs("Leave").Aggregate(new LeaveConditions { MaxDuration = TimeSpan.FromSeconds(3 * Numbers("Within")[0]) }, (leave, pair) => pair switch
    {
        ("waitingRoomTimeout", var seconds) => leave with { WaitingRoomTimeout = seconds },
        ("nobodyJoinedTimeout", var seconds) => leave with { NobodyJoinedTimeout = seconds },
        ("everyoneLeftTimeout", var seconds) => leave with { EveryoneLeftTimeout = seconds },
        var (condition, _) => throw new NotSupportedException(condition),
    });

    /// <returns>Each promise that the recorder or the page broke, in one line.</returns>
    /// <param name="recorder">The recorder, after its end.</param>
    /// <param name="events">The page's events, in order.</param>
    public async Task<IReadOnlyList<string>> BrokenPromisesAsync(EndedRecorder recorder, IReadOnlyList<string> events)
    {
        var broken = new List<string>();
        void Check(bool isKept, string key, string seen)
        {
            if (!isKept)
                broken.Add($"{key}: {One(key)}. Seen: {seen}.");
        }

        var statuses = recorder.Statuses().Select(status => WireWord.Of(status.Status)).Aggregate(
            new List<string>(), (distinct, status) => distinct is [.., var last] && last == status ? distinct : [.. distinct, status]);
        Check(Regex.IsMatch(string.Concat(statuses.Select(status => $"{status},")), StatusPattern(), RegexOptions.None, TimeSpan.FromSeconds(1)), "Statuses", string.Join(", ", statuses));

        var reason = recorder.Reason is { } ended ? WireWord.Of(ended) : "none";
        Check(One("Reason").Split(" or ").Contains(reason), "Reason", $"{reason} ({recorder.Statuses()[^1].Detail})");

        Check(AreInOrder(List("Page saw"), events), "Page saw", string.Join(", ", events));
        Check(!List("Page never saw").Intersect(events).Any(), "Page never saw", string.Join(", ", events));
        foreach (var text in _header["Log"])
            Check(recorder.Log.Contains(text, StringComparison.OrdinalIgnoreCase), "Log", "no such text");
        foreach (var file in _header["Evidence"])
            Check(recorder.Evidence().Keys.Any(path => path.EndsWith($"/{file}", StringComparison.Ordinal)), "Evidence", string.Join(", ", recorder.Evidence().Keys));
        await CheckAudioAsync(recorder, Check);
        foreach (var promised in _header["Gap"].Select(value => value.Split(" for ")))
        {
            var length = recorder.Gaps().Where(gap => gap.Cause == promised[0]).Sum(gap => gap.EndSeconds - gap.StartSeconds);
            var range = WholeNumber().Matches(promised[1]).Select(number => Number(number.Value)).ToList();
            Check(length >= range[0] && length <= range[1], "Gap", $"{length:0.0} s, {string.Join("; ", recorder.Gaps())}");
        }

        if (_header.Contains("Missing"))
        {
            var missing = Completeness.MissingSecondsOf(recorder.Gaps());
            Check(missing >= Numbers("Missing")[0] && missing <= Numbers("Missing")[1], "Missing", $"{missing:0.0} s, {string.Join("; ", recorder.Gaps())}");
        }
        return broken;
    }

    private async Task CheckAudioAsync(EndedRecorder recorder, Action<bool, string, string> check)
    {
        var promised = One("Recorded");
        if (promised == "nothing")
        {
            check(!recorder.Chunks().Any(), "Recorded", $"{recorder.Chunks().Count()} chunks");
            return;
        }

        if (!recorder.Chunks().Any())
        {
            check(false, "Recorded", "no chunk");
            return;
        }

        var audio = await recorder.AudioAsync();
        var heard = Enumerable.Range(0, UnseenVoices.Count).Select(voice => UnseenVoices.SecondsHeard(audio, voice)).ToList();
        var seen = string.Join("; ", heard.Select((seconds, voice) => $"voice {voice} for {seconds:0.0} s"));
        if (promised == "silence")
            check(heard.TrueForAll(seconds => seconds < 0.5), "Recorded", seen);
        // A busy host stalls the capture, which the recorder declares. That is not the page's doing, but half of a voice must be there.
        var stalled = recorder.Gaps().Where(gap => gap.Cause is GapCause.CaptureStalled).Sum(gap => gap.EndSeconds - gap.StartSeconds);
        var isHeard = VoicePromise().Matches(promised).All(voice =>
        {
            var (seconds, wanted) = (heard[Number(voice.Groups["voice"].Value)], Number(voice.Groups["seconds"].Value));
            return seconds + stalled >= wanted && seconds >= wanted / 2.0;
        });
        check(isHeard, "Recorded", $"{seen}; the capture stalled for {stalled:0.0} s");
        if (_header.Contains("Length"))
        {
            var length = (double)audio.Length / AudioFile.SampleRate;
            check(length >= Numbers("Length")[0] && length <= Numbers("Length")[1], "Length", $"{length:0.0} s");
        }
    }

    private string One(string key) => string.Join("; ", _header[key]);

    private IReadOnlyList<string> List(string key) => [.. _header[key].SelectMany(value => value.Split(", "))];

    private IReadOnlyList<int> Numbers(string key) => [.. WholeNumber().Matches(One(key)).Select(number => Number(number.Value))];

    private IEnumerable<(string Name, TimeSpan Value)> Pairs(string key) =>
        List(key).Select(pair => pair.Split('=')).Select(pair => (pair[0], TimeSpan.FromSeconds(Number(pair[1]))));

    /// <summary>A status with a question mark may be missing.</summary>
    private string StatusPattern() =>
        $"^{string.Concat(List("Statuses").Select(status => status.EndsWith('?') ? $"({status[..^1]},)?" : $"{status},"))}$";

    private static bool AreInOrder(IReadOnlyList<string> expected, IReadOnlyList<string> events)
    {
        var found = 0;
        foreach (var one in events)
        {
            if (found < expected.Count && one == expected[found])
                found++;
        }
        return found == expected.Count;
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^(?<key>[A-Z][a-z ]*): (?<value>.*)$", RegexOptions.Multiline, matchTimeoutMilliseconds: 1000)]
    private static partial Regex HeaderLine();

    [GeneratedRegex(@"voice (?<voice>\d) for (?<seconds>\d+) s", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex VoicePromise();

    [GeneratedRegex(@"\d+", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex WholeNumber();
}
