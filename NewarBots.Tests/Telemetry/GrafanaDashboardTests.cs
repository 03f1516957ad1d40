using System.Diagnostics.Metrics;
using System.Text.RegularExpressions;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Telemetry;

public sealed partial class GrafanaDashboardTests : IDisposable
{
    private static readonly string[] Labels =
        ["newarbots_bot_status", "newarbots_bot_reason", "newarbots_gap_cause", "newarbots_outcome", "newarbots_operation"];

    private readonly MetricsProbe _probe = new();

    public void Dispose() => _probe.Dispose();

    [Fact]
    public void The_dashboard_queries_exactly_the_existing_metrics()
    {
        var read = OurNames.Matches(Read("deploy/grafana/newarbots.json")).Select(match => match.Value).Except(Labels).ToHashSet();
        var series = _probe.Instruments.ToDictionary(instrument => instrument.Name, instrument => SeriesOf(instrument).ToHashSet());

        Assert.Empty(read.Except(series.Values.SelectMany(names => names)));
        Assert.Empty(series.Where(instrument => !instrument.Value.Overlaps(read)).Select(instrument => instrument.Key));
    }

    [Fact]
    public void The_docs_list_every_metric_with_its_unit()
    {
        var documented = MetricRow.Matches(Read("docs/telemetry.md")).ToDictionary(row => row.Groups["name"].Value, row => row.Groups["unit"].Value);

        Assert.Equal(
            _probe.Instruments.ToDictionary(instrument => instrument.Name, instrument => instrument.Unit!).OrderBy(pair => pair.Key),
            documented.OrderBy(pair => pair.Key));
    }

    /// <summary>
    /// Names in Prometheus: <see href="https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/"/>.
    /// </summary>
    private static IEnumerable<string> SeriesOf(Instrument instrument)
    {
        var unit = instrument.Unit switch
        {
            "s" => "_seconds",
            "By" => "_bytes",
            ['{', ..] => string.Empty,
            _ => throw new InvalidOperationException($"{instrument.Name} has the unit {instrument.Unit}."),
        };
        var name = instrument.Name.Replace('.', '_') + unit;
        return instrument switch
        {
            Histogram<double> or Histogram<long> => [$"{name}_bucket", $"{name}_sum", $"{name}_count"],
            Counter<double> or Counter<long> => [$"{name}_total"],
            _ => [name],
        };
    }

    private static string Read(string path) => File.ReadAllText(Repository.PathOf(path));

    [GeneratedRegex("newarbots_[a-z_]+", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex OurNames { get; }

    [GeneratedRegex(@"^\| `(?<name>newarbots\.[a-z._]+)` \| `(?<unit>[^`]+)` \|", RegexOptions.Multiline, matchTimeoutMilliseconds: 1000)]
    private static partial Regex MetricRow { get; }
}
