namespace NewarBots.Bench;

/// <summary>A series of measurements with median and percentiles.</summary>
internal sealed class Figures
{
    private readonly List<double> _values = [];

    public void Add(double value) => _values.Add(value);

    public int Count => _values.Count;

    public double Median => Percentile(50);

    /// <summary>The smallest value that at least this percentage of all values does not exceed.</summary>
    public double Percentile(double percent) =>
        _values.Order().ElementAt(Math.Max(0, (int)Math.Ceiling(percent / 100 * _values.Count) - 1));

    public override string ToString() => $"{Median,9:0.000}   {_values.Min(),9:0.000} .. {_values.Max():0.000}";
}
