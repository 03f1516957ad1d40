using System.Text.RegularExpressions;
using Microsoft.Extensions.Options;

namespace NewarBots.Manager.Bots.Transcripts;

/// <summary>Section <c>Transcription</c>: the server that turns speech into text. Without an endpoint, nothing is transcribed.</summary>
internal sealed partial class TranscriptionOptions
{
    public const string Section = "Transcription";

    public const int MaxPromptLength = 2000;

    private const string Path = "/audio/transcriptions";

    private const string Version = "/v1";

    /// <summary>Address of an OpenAI-compatible speech server, with or without <c>/v1</c> or <c>/v1/audio/transcriptions</c>. Empty: off.</summary>
    public string? Endpoint { get; set; }

    /// <summary>Sent as a bearer token; many local servers need none.</summary>
    public string? ApiKey { get; set; }

    public string Model { get; set; } = "whisper-1";

    /// <summary>Language of bots that name none, for example <c>en</c>. Empty: the server detects it.</summary>
    public string? Language { get; set; }

    /// <summary>Names and terms that the server should expect.</summary>
    public string? Prompt { get; set; }

    /// <summary>Concurrent requests of this manager to the server.</summary>
    public int MaxConcurrent { get; set; } = 4;

    /// <summary>Timeout of one request, which has at most a minute of audio.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>The largest file that the server accepts, in MiB.</summary>
    public double MaxUploadMegabytes { get; set; } = 25;

    public bool IsOn => !string.IsNullOrWhiteSpace(Endpoint);

    public long MaxUploadBytes => (long)(MaxUploadMegabytes * 1024 * 1024);

    /// <summary>The address of the endpoint that transcribes.</summary>
    public Uri Address
    {
        get
        {
            var address = new UriBuilder(Endpoint!.Trim());
            var path = address.Path.TrimEnd('/');
            address.Path = path.EndsWith(Path, StringComparison.Ordinal) ? path
                : path.EndsWith(Version, StringComparison.Ordinal) ? path + Path
                : path + Version + Path;
            return address.Uri;
        }
    }

    /// <summary>A language as in BCP 47, for example <c>de</c> or <c>pt-BR</c>.</summary>
    public static bool IsLanguage(string text) => LanguageTag.IsMatch(text);

    [GeneratedRegex("^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}$", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex LanguageTag { get; }
}

/// <summary>Reports all invalid settings at once. No message quotes the key.</summary>
internal sealed class TranscriptionOptionsValidator : IValidateOptions<TranscriptionOptions>
{
    private const int MaxRequests = 256;

    private static readonly TimeSpan LongestTimeout = TimeSpan.FromHours(1);

    public ValidateOptionsResult Validate(string? name, TranscriptionOptions options)
    {
        if (!options.IsOn)
            return ValidateOptionsResult.Success;
        var faults = new List<string>();
        if (!Uri.TryCreate(options.Endpoint!.Trim(), UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
            faults.Add($"Transcription:Endpoint must be an http or https address, for example http://localhost:8000 (it is '{options.Endpoint}').");
        else if (address.UserInfo.Length > 0)
            faults.Add("Transcription:Endpoint must not contain a user name or password. Set Transcription:ApiKey.");
        if (options.ApiKey?.Any(character => character is <= ' ' or > '~') is true)
            faults.Add("Transcription:ApiKey must consist of visible ASCII characters.");
        if (string.IsNullOrWhiteSpace(options.Model))
            faults.Add("Transcription:Model must name a model of the speech server.");
        if (!string.IsNullOrEmpty(options.Language) && !TranscriptionOptions.IsLanguage(options.Language))
            faults.Add($"Transcription:Language must be a language such as en or pt-BR (it is '{options.Language}').");
        if (options.Prompt?.Length > TranscriptionOptions.MaxPromptLength)
            faults.Add($"Transcription:Prompt must have at most {TranscriptionOptions.MaxPromptLength} characters.");
        if (options.MaxConcurrent is < 1 or > MaxRequests)
            faults.Add($"Transcription:MaxConcurrent must be from 1 to {MaxRequests} (it is {options.MaxConcurrent}).");
        if (options.Timeout <= TimeSpan.Zero || options.Timeout > LongestTimeout)
            faults.Add($"Transcription:Timeout must be positive and at most {LongestTimeout} (it is {options.Timeout}).");
        if (!(options.MaxUploadMegabytes is >= 1 and <= 1024))
            faults.Add($"Transcription:MaxUploadMegabytes must be from 1 to 1024 (it is {options.MaxUploadMegabytes}).");
        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }
}
