using System.Collections.Concurrent;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using NewarBots.Manager.Bots;

namespace NewarBots.Manager.Rehearsal;

/// <summary>Renders the rehearsals' HTML from the embedded files of the folder Pages.</summary>
internal static class RehearsalPages
{
    private static readonly ConcurrentDictionary<string, string> Files = new();

    public static string Read(string file) => Files.GetOrAdd(file, static name =>
    {
        using var stream = typeof(RehearsalPages).Assembly.GetManifestResourceStream($"rehearsal/{name}")
            ?? throw new InvalidOperationException($"The embedded resource rehearsal/{name} is missing.");
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    });

    public static string Meeting(string code, RehearsalScenario scenario) => Read("meeting.html")
        .Replace("{{code}}", Html(code), StringComparison.Ordinal)
        .Replace("{{scenario}}", Html(JsonSerializer.Serialize(scenario, JsonSerializerOptions.Web)), StringComparison.Ordinal);

    /// <param name="origin">The manager's URL as the reader's browser sees it.</param>
    /// <param name="address">The rehearsals' URL for bots.</param>
    public static string Index(string origin, string address)
    {
        var groups = NamedScenario.All.GroupBy(scenario => scenario.Group).ToList();
        return Read("index.html")
            .Replace("{{address}}", Html(address), StringComparison.Ordinal)
            .Replace("{{contents}}", string.Concat(groups.Select(TableOfContents)), StringComparison.Ordinal)
            .Replace("{{scenarios}}", string.Concat(groups.Select(group => Section(origin, address, group))), StringComparison.Ordinal);
    }

    public static string InvalidParameters(IEnumerable<string> errors) => Read("invalid-parameters.html")
        .Replace("{{errors}}", string.Concat(errors.Select(error => $"<li>{Html(error)}</li>")), StringComparison.Ordinal);

    private static string TableOfContents(IGrouping<ScenarioGroup, NamedScenario> group)
    {
        var links = group.Select(scenario => $"""<a href="#{scenario.Name}" class="{SnakeCase(scenario.Status)}">{scenario.Name}</a>""");
        return $"""
            <p><a href="#{SnakeCase(group.Key)}"><b>{Title(group.Key)}</b></a><span>{string.Join(' ', links)}</span></p>

            """;
    }

    private static string Section(string origin, string address, IGrouping<ScenarioGroup, NamedScenario> group) => $"""
        <h2 id="{SnakeCase(group.Key)}">{Title(group.Key)}</h2>
        <div class="scenarios">
        {string.Concat(group.Select(scenario => Card(origin, address, scenario)))}</div>

        """;

    private static string Title(ScenarioGroup group) => group switch
    {
        ScenarioGroup.BeforeJoining => "Before joining",
        ScenarioGroup.WaitingRoom => "In the waiting room",
        ScenarioGroup.Call => "In the call",
        ScenarioGroup.Audio => "Audio",
        ScenarioGroup.Leaving => "Leaving",
        _ => "Misbehaving pages",
    };

    private static string Card(string origin, string address, NamedScenario scenario)
    {
        var meeting = $"/abc-defg-hij?scenario={scenario.Name}";
        var request = new JsonObject { ["meetingUrl"] = address + meeting };
        if (scenario.Leave is var (condition, seconds))
            request["leave"] = new JsonObject { [condition] = seconds };
        var json = request.ToJsonString(new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        // The reader's shell inserts the current time.
        if (scenario.NeedsEpoch)
            json = json.Replace(scenario.Name, $"{scenario.Name}&epoch='$(date +%s)'", StringComparison.Ordinal);
        var status = SnakeCase(scenario.Status);
        return $"""
            <article>
              <h3 id="{scenario.Name}"><a href="{Html(RehearsalOptions.Path + meeting)}">{scenario.Name}</a></h3>
              <p>{Html(scenario.Description)}</p>
              <p class="bot"><b>The bot</b> {Html(char.ToLowerInvariant(scenario.Expected[0]) + scenario.Expected[1..])}
                <span class="{status}">{status} · {SnakeCase(scenario.Reason)}</span></p>
              <p class="parameters">{Html(scenario.Query)}</p>
              <pre>curl {Html(origin)}/bots --json '{Html(json)}'</pre>
            </article>

            """;
    }

    private static string SnakeCase<T>(T value) where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName($"{value}");

    private static string Html(string text) => HtmlEncoder.Default.Encode(text);
}
