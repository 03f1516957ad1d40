using System.Diagnostics.Metrics;
using NewarBots.Manager.Bots;

namespace NewarBots.Tests.Fixtures;

/// <summary>Collects the measurements of the meters that it creates, and of no others.</summary>
internal sealed class MetricsProbe : IMeterFactory
{
    private readonly MeterListener _listener = new();
    private readonly List<Measured> _measured = [];

    public MetricsProbe()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Scope != this)
                return;
            Instruments.Add(instrument);
            listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Keep(instrument, value, tags));
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Keep(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Keep(instrument, value, tags));
        _listener.Start();
        Bots = new(this);
    }

    public BotMetrics Bots { get; }

    public List<Instrument> Instruments { get; } = [];

    public Meter Create(MeterOptions options) => new(options.Name, options.Version, options.Tags, scope: this);

    /// <returns>All measurements of the instrument so far, in order.</returns>
    public IReadOnlyList<Measured> Of(string instrument)
    {
        lock (_measured)
            return [.. _measured.Where(one => one.Instrument == instrument)];
    }

    /// <summary>Reads the observable gauges.</summary>
    public void Observe() => _listener.RecordObservableInstruments();

    public void Dispose() => _listener.Dispose();

    private void Keep(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var kept = new Measured(instrument.Name, value, string.Join(' ', tags.ToArray().Select(tag => $"{tag.Key}={tag.Value}")));
        lock (_measured)
            _measured.Add(kept);
    }
}

/// <param name="Instrument">The instrument's name.</param>
/// <param name="Value">In the instrument's unit.</param>
/// <param name="Tags"><c>name=value</c>, separated by spaces.</param>
internal sealed record Measured(string Instrument, double Value, string Tags);
