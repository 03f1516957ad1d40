using System.Collections.Concurrent;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using NewarBots.Manager.Bots;

namespace NewarBots.Manager.Rehearsal;

/// <summary>The HTML of the rehearsal, from the files in Pages/, which are built into the program.</summary>
internal static class RehearsalPages
{
    private static readonly ConcurrentDictionary<string, string> Files = new();

    public static string Read(string file) => Files.GetOrAdd(file, static name =>
    {
        using var stream = typeof(RehearsalPages).Assembly.GetManifestResourceStream($"rehearsal/{name}")
            ?? throw new InvalidOperationException($"The rehearsal's {name} is not built into the program.");
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    });

    public static string Meeting(string code, RehearsalScenario scenario) => Read("meeting.html")
        .Replace("{{code}}", Html(code), StringComparison.Ordinal)
        .Replace("{{scenario}}", Html(JsonSerializer.Serialize(scenario, JsonSerializerOptions.Web)), StringComparison.Ordinal);

    /// <param name="origin">Where the manager is, as the reader's browser sees it.</param>
    /// <param name="address">Where the rehearsal is, as bots are sent there.</param>
    public static string Index(string origin, string address)
    {
        var groups = NamedScenario.All.GroupBy(scenario => scenario.Group).ToList();
        return Read("index.html")
            .Replace("{{address}}", Html(address), StringComparison.Ordinal)
            .Replace("{{contents}}", string.Concat(groups.Select(Contents)), StringComparison.Ordinal)
            .Replace("{{scenarios}}", string.Concat(groups.Select(group => Group(origin, address, group))), StringComparison.Ordinal);
    }

    public static string Mistakes(IEnumerable<string> faults) => Read("mistakes.html")
        .Replace("{{faults}}", string.Concat(faults.Select(fault => $"<li>{Html(fault)}</li>")), StringComparison.Ordinal);

    private static string Contents(IGrouping<ScenarioGroup, NamedScenario> group)
    {
        var links = group.Select(scenario => $"""<a href="#{scenario.Name}" class="{Word(scenario.Status)}">{scenario.Name}</a>""");
        return $"""
            <p><a href="#{Word(group.Key)}"><b>{Title(group.Key)}</b></a><span>{string.Join(' ', links)}</span></p>

            """;
    }

    private static string Group(string origin, string address, IGrouping<ScenarioGroup, NamedScenario> group) => $"""
        <h2 id="{Word(group.Key)}">{Title(group.Key)}</h2>
        <div class="scenarios">
        {string.Concat(group.Select(scenario => Card(origin, address, scenario)))}</div>

        """;

    private static string Title(ScenarioGroup group) => group switch
    {
        ScenarioGroup.Door => "At the door",
        ScenarioGroup.WaitingRoom => "In the waiting room",
        ScenarioGroup.Call => "In the call",
        ScenarioGroup.Audio => "What is heard",
        ScenarioGroup.Leaving => "Leaving",
        _ => "Pages that misbehave",
    };

    private static string Card(string origin, string address, NamedScenario scenario)
    {
        var meeting = $"/abc-defg-hij?scenario={scenario.Name}";
        var request = new JsonObject { ["meetingUrl"] = address + meeting };
        if (scenario.Leave is var (condition, seconds))
            request["leave"] = new JsonObject { [condition] = seconds };
        var json = request.ToJsonString(new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        // Put together by the reader's shell.
        if (scenario.NeedsEpoch)
            json = json.Replace(scenario.Name, $"{scenario.Name}&epoch='$(date +%s)'", StringComparison.Ordinal);
        var status = Word(scenario.Status);
        return $"""
            <article>
              <h3 id="{scenario.Name}"><a href="{Html(RehearsalOptions.Path + meeting)}">{scenario.Name}</a></h3>
              <p>{Html(scenario.Story)}</p>
              <p class="bot"><b>The bot</b> {Html(char.ToLowerInvariant(scenario.Expected[0]) + scenario.Expected[1..])}
                <span class="{status}">{status} · {Word(scenario.Reason)}</span></p>
              <p class="parameters">{Html(scenario.Query)}</p>
              <pre>curl {Html(origin)}/bots --json '{Html(json)}'</pre>
            </article>

            """;
    }

    private static string Word<T>(T value) where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName($"{value}");

    private static string Html(string text) => HtmlEncoder.Default.Encode(text);
}
