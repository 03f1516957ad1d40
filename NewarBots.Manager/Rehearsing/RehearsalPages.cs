using System.Collections.Concurrent;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace NewarBots.Manager.Rehearsing;

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
        .Replace("{{level}}", $"{TimeCode.Level}", StringComparison.Ordinal)
        .Replace("{{scenario}}", Html(JsonSerializer.Serialize(scenario, JsonSerializerOptions.Web)), StringComparison.Ordinal);

    /// <param name="origin">Where the manager is, as the reader's browser sees it.</param>
    public static string Index(string origin)
    {
        var cards = NamedScenario.All.Select(scenario => Card(origin, scenario));
        return Read("index.html")
            .Replace("{{origin}}", Html(origin), StringComparison.Ordinal)
            .Replace("{{scenarios}}", string.Concat(cards), StringComparison.Ordinal);
    }

    public static string Mistakes(IEnumerable<string> faults) => Read("mistakes.html")
        .Replace("{{faults}}", string.Concat(faults.Select(fault => $"<li>{Html(fault)}</li>")), StringComparison.Ordinal);

    private static string Card(string origin, NamedScenario scenario)
    {
        var path = $"{RehearsalOptions.Path}/abc-defg-hij?scenario={scenario.Name}";
        var request = new JsonObject { ["meetingUrl"] = origin + path };
        if (scenario.Leave is var (condition, seconds))
            request["leave"] = new JsonObject { [condition] = seconds };
        var json = request.ToJsonString(new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        var status = JsonNamingPolicy.SnakeCaseLower.ConvertName($"{scenario.Status}");
        var reason = JsonNamingPolicy.SnakeCaseLower.ConvertName($"{scenario.Reason}");
        return $"""
            <article>
              <h2 id="{scenario.Name}"><a href="{Html(path)}">{scenario.Name}</a></h2>
              <p>{Html(scenario.Story)}</p>
              <p class="bot"><b>The bot</b> {Html(char.ToLowerInvariant(scenario.Expected[0]) + scenario.Expected[1..])}
                <span class="{status}">{status} · {reason}</span></p>
              <p class="parameters">{Html(scenario.Query)}</p>
              <pre>curl {Html(origin)}/bots --json '{Html(json)}'</pre>
            </article>

            """;
    }

    private static string Html(string text) => HtmlEncoder.Default.Encode(text);
}
