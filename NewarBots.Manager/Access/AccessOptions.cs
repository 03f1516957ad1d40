using Microsoft.Extensions.Options;
using NewarBots.Manager.Bots;

namespace NewarBots.Manager.Access;

/// <summary>Section <c>Access</c>: how much of the manager one caller may take. Who may call at all is in the <see cref="KeyFile"/>.</summary>
internal sealed class AccessOptions
{
    public const string Section = "Access";

    /// <summary>Requests of one key a minute, in the long run; further ones are refused (429).</summary>
    public int RequestsPerMinute { get; set; } = 1200;

    /// <summary>Requests of one key at once, after a pause.</summary>
    public int RequestBurst { get; set; } = 300;

    /// <summary>Requests of one key that are answered at the same time, open event streams among them; further ones are refused (429).</summary>
    public int RequestsAtOnce { get; set; } = 1000;

    /// <summary>Wrong keys from one address a minute that are told to be wrong; further ones are told to wait (429). Right ones always pass.</summary>
    public int WrongKeysPerMinute { get; set; } = 30;

    /// <summary>Names that the manager has beside those of this machine, for example a proxy's, where it serves without keys.</summary>
    public IList<string> HostNames { get; } = [];
}

/// <summary>Reports every mistake at once, each by the key to change.</summary>
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
        if (options.WrongKeysPerMinute < 1)
            yield return $"Access:WrongKeysPerMinute must be 1 or more (it is {options.WrongKeysPerMinute}).";
    }
}
