using Microsoft.Extensions.Options;

namespace NewarBots.Manager.Access;

/// <summary>Section <c>Access</c>: request limits per caller. The <see cref="KeyFile"/> defines which callers are allowed.</summary>
internal sealed class AccessOptions
{
    public const string Section = "Access";

    /// <summary>Sustained requests per minute of one key; further ones are rejected (429).</summary>
    public int RequestsPerMinute { get; set; } = 1200;

    /// <summary>Burst of requests of one key after a pause.</summary>
    public int RequestBurst { get; set; } = 300;

    /// <summary>Concurrent requests of one key, including open event streams; further ones are rejected (429).</summary>
    public int RequestsAtOnce { get; set; } = 1000;

    /// <summary>Event streams that all callers together may have open; further ones are rejected (503).</summary>
    public int EventStreams { get; set; } = 3000;

    /// <summary>Event streams that one key may have open; further ones are rejected (429). Without keys, the limit of all local callers.</summary>
    public int EventStreamsPerKey { get; set; } = 600;

    /// <summary>Invalid keys per minute from one address that are answered with 401; further ones get 429. Valid keys always pass.</summary>
    public int WrongKeysPerMinute { get; set; } = 30;

    /// <summary>Host names other than localhost that are accepted without keys, for example a proxy's.</summary>
    public IList<string> HostNames { get; } = [];
}

/// <summary>Reports all invalid settings at once.</summary>
internal sealed class AccessOptionsValidator : IValidateOptions<AccessOptions>
{
    public ValidateOptionsResult Validate(string? name, AccessOptions options)
    {
        var faults = Faults(options).ToList();
        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    private static IEnumerable<string> Faults(AccessOptions options)
    {
        if (options.RequestsPerMinute < 1)
            yield return $"Access:RequestsPerMinute must be 1 or more (it is {options.RequestsPerMinute}).";
        if (options.RequestBurst < 1)
            yield return $"Access:RequestBurst must be 1 or more (it is {options.RequestBurst}).";
        if (options.RequestsAtOnce < 1)
            yield return $"Access:RequestsAtOnce must be 1 or more (it is {options.RequestsAtOnce}).";
        if (options.EventStreams < 1)
            yield return $"Access:EventStreams must be 1 or more (it is {options.EventStreams}).";
        if (options.EventStreamsPerKey < 1)
            yield return $"Access:EventStreamsPerKey must be 1 or more (it is {options.EventStreamsPerKey}).";
        if (options.WrongKeysPerMinute < 1)
            yield return $"Access:WrongKeysPerMinute must be 1 or more (it is {options.WrongKeysPerMinute}).";
    }
}
