using Microsoft.Extensions.Options;

namespace NewarBots.Manager.Recordings;

/// <summary>Section <c>Finalizing</c>: how recordings are assembled and converted.</summary>
internal sealed class FinalizingOptions
{
    public const string Section = "Finalizing";

    /// <summary>Limit of concurrent finalizations, and separately of concurrent partial recordings and conversions. Further ones wait.</summary>
    public int MaxConcurrent { get; set; } = 2;

    /// <summary>Path of the ffmpeg program, or a name to find on the PATH.</summary>
    public string FFmpegPath { get; set; } = "ffmpeg";

    /// <summary>Timeout of one FFmpeg run, plus <see cref="FFmpegTimeoutPerHour"/>. A run that takes longer is killed and retried once.</summary>
    public TimeSpan FFmpegTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Added to <see cref="FFmpegTimeout"/> for each hour of audio.</summary>
    public TimeSpan FFmpegTimeoutPerHour { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>If FFmpeg cannot decode a chunk, an attempt that comes later than this decides whether silence replaces it.</summary>
    public TimeSpan SecondOpinionAfter { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a request waits for a conversion before the answer asks the client to retry. Proxies and clients commonly time out after a minute.</summary>
    public TimeSpan ConversionTimeout { get; set; } = TimeSpan.FromSeconds(45);

    /// <summary>
    /// A bot ends with <c>finalization_failed</c> after this many failed attempts that it may have caused itself. Its chunks are kept.
    /// </summary>
    public int MaxAttempts { get; set; } = 10;

    /// <summary>A bot that cannot end because of an outage (FFmpeg missing, storage full) ends with <c>finalization_failed</c> after this time. Its chunks are kept.</summary>
    public TimeSpan OutageTimeout { get; set; } = TimeSpan.FromDays(7);

    public TimeSpan TimeoutFor(TimeSpan audio) => FFmpegTimeout + (FFmpegTimeoutPerHour * audio.TotalHours);
}

/// <summary>Reports all invalid settings at once.</summary>
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
        if (options.MaxAttempts < 1)
            faults.Add($"Finalizing:MaxAttempts must be 1 or more (it is {options.MaxAttempts}).");
        if (options.OutageTimeout <= TimeSpan.Zero)
            faults.Add($"Finalizing:OutageTimeout must be positive (it is {options.OutageTimeout}).");
        if (options.SecondOpinionAfter < TimeSpan.Zero)
            faults.Add($"Finalizing:SecondOpinionAfter must not be negative (it is {options.SecondOpinionAfter}).");
        if (options.ConversionTimeout <= TimeSpan.Zero)
            faults.Add($"Finalizing:ConversionTimeout must be positive (it is {options.ConversionTimeout}).");
        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }
}
