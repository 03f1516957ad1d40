using Microsoft.Extensions.Options;
using NewarBots.Manager.Bots;

namespace NewarBots.Manager.Recordings;

/// <summary>Section <c>Finalizing</c>: how chunks become recordings.</summary>
internal sealed class FinalizingOptions
{
    public const string Section = "Finalizing";

    /// <summary>How many recordings are put together at once, how many of those that are still recorded, and how many are converted to another format; further ones wait.</summary>
    public int MaxConcurrent { get; set; } = 2;

    /// <summary>The ffmpeg program: a path, or a name to be looked up on the PATH.</summary>
    public string FFmpegPath { get; set; } = "ffmpeg";

    /// <summary>
    /// How long one run of FFmpeg may take, whatever the recording's length. A run that takes longer is killed and tried again once.
    /// </summary>
    public TimeSpan FFmpegTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>What a run may take beyond that for each hour of audio.</summary>
    public TimeSpan FFmpegTimeoutPerHour { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How long who asks for another format waits for it before they are told to ask again. Proxies and clients commonly give up after a minute.</summary>
    public TimeSpan ConversionPatience { get; set; } = TimeSpan.FromSeconds(45);

    public TimeSpan TimeoutFor(TimeSpan audio) => FFmpegTimeout + (FFmpegTimeoutPerHour * audio.TotalHours);
}

/// <summary>Names every setting at fault at once.</summary>
internal sealed class FinalizingOptionsValidator : IValidateOptions<FinalizingOptions>
{
    public ValidateOptionsResult Validate(string? name, FinalizingOptions options)
    {
        var faults = new List<string>();
        if (options.MaxConcurrent < 1)
            faults.Add($"Finalizing:MaxConcurrent must be 1 or more (it is {options.MaxConcurrent}).");
        if (string.IsNullOrWhiteSpace(options.FFmpegPath))
            faults.Add("Finalizing:FFmpegPath must name the ffmpeg program.");
        if (options.FFmpegTimeout <= TimeSpan.Zero)
            faults.Add($"Finalizing:FFmpegTimeout must be positive (it is {options.FFmpegTimeout}).");
        if (options.FFmpegTimeoutPerHour < TimeSpan.Zero)
            faults.Add($"Finalizing:FFmpegTimeoutPerHour must not be negative (it is {options.FFmpegTimeoutPerHour}).");
        if (options.ConversionPatience <= TimeSpan.Zero)
            faults.Add($"Finalizing:ConversionPatience must be positive (it is {options.ConversionPatience}).");
        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }
}
