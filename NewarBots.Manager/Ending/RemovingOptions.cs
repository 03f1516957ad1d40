using Microsoft.Extensions.Options;
using NewarBots.Manager.Bots;

namespace NewarBots.Manager.Ending;

/// <summary>Section <c>Removing</c>: how long things are kept.</summary>
internal sealed class RemovingOptions
{
    public const string Section = "Removing";

    /// <summary>So long after a bot's end its recording is kept, and everything else of it; for ever where it is not set.</summary>
    public TimeSpan? KeepFor { get; set; }
}

internal sealed class RemovingOptionsValidator : IValidateOptions<RemovingOptions>
{
    public ValidateOptionsResult Validate(string? name, RemovingOptions options) => options.KeepFor <= TimeSpan.Zero
        ? ValidateOptionsResult.Fail($"Removing:KeepFor must be positive, for example 30.00:00:00 for 30 days (it is {options.KeepFor}).")
        : ValidateOptionsResult.Success;
}
