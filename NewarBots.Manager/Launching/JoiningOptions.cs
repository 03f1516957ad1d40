using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Hosting;

namespace NewarBots.Manager.Launching;

/// <summary>Section <c>Joining</c>: how bots join meetings.</summary>
internal sealed class JoiningOptions
{
    public const string Section = "Joining";

    /// <summary>A file with a <see cref="Contract.SelectorPack"/>. By default the recorder uses its built-in pack.</summary>
    public string? SelectorPack { get; set; }

    /// <summary>
    /// A file with a <see cref="Contract.StorageState"/> for the account that bots sign in with. By default bots join as guests.
    /// </summary>
    public string? StorageState { get; set; }

    /// <summary>A <see cref="BrowserKind"/>: <c>headed</c> or <c>headless_shell</c>.</summary>
    public string Browser { get; set; } = WireWord.Of(BrowserKind.Headed);
}

/// <summary>Reports all invalid settings at once, each with its key, and for files the position of each error.</summary>
internal sealed class JoiningOptionsValidator : IValidateOptions<JoiningOptions>
{
    public ValidateOptionsResult Validate(string? name, JoiningOptions options)
    {
        var faults = Faults(options).ToList();
        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    private static IEnumerable<string> Faults(JoiningOptions options)
    {
        foreach (var file in JoiningFile.AllOf(options))
        {
            if (ErrorIn(file) is { } fault)
                yield return fault;
        }

        if (!WireWord.TryParse(options.Browser, out BrowserKind _))
            yield return $"Joining:Browser must be {WireWord.Choice<BrowserKind>()} (it is '{options.Browser}').";
    }

    private static string? ErrorIn(JoiningFile file)
    {
        try
        {
            file.Read();
            return null;
        }
        catch (InvalidJoiningFileException exception)
        {
            return exception.Message;
        }
    }
}

/// <summary>
/// A file that section <c>Joining</c> names. It is read when the manager starts and again for each bot, so that a change needs no restart. Each
/// bot gets exactly the text that was validated.
/// </summary>
/// <param name="Key">The setting that names the file.</param>
/// <param name="Path">The path of the file.</param>
/// <param name="NameInSession">Its name in a session's folder.</param>
/// <param name="Validate">Throws <see cref="InvalidJsonFileException"/>.</param>
internal sealed record JoiningFile(string Key, string Path, string NameInSession, Action<string> Validate)
{
    public static IEnumerable<JoiningFile> AllOf(JoiningOptions options)
    {
        if (options.SelectorPack is { Length: > 0 } pack)
            yield return new("Joining:SelectorPack", pack, SessionInput.SelectorPack, json => SelectorPack.Parse(json));
        if (options.StorageState is { Length: > 0 } state)
            yield return new("Joining:StorageState", state, SessionInput.StorageState, json => StorageState.Parse(json));
    }

    /// <exception cref="InvalidJoiningFileException">It cannot be read or is invalid.</exception>
    public string Read()
    {
        try
        {
            var text = File.ReadAllText(Path);
            Validate(text);
            return text;
        }
        catch (InvalidJsonFileException exception)
        {
            throw new InvalidJoiningFileException($"{Key}: {Path}: {exception.Message}", $"{Key}: {exception.Message}", exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new InvalidJoiningFileException($"{Key}: {Path}: {exception.Message}", $"{Key}: the file cannot be read.", exception);
        }
    }
}

/// <summary>The message names the setting, the file and the position of every error in it.</summary>
internal sealed class InvalidJoiningFileException(string message, string explanation, Exception inner) : Exception(message, inner), IExplainedFailure
{
    public FailureCause Cause => FailureCause.Bot;

    /// <summary>Like the message, without the path.</summary>
    public string Explanation => explanation;
}

/// <summary>Section <c>Recording</c>: what bots record.</summary>
internal sealed class RecordingOptions
{
    public const string Section = "Recording";

    /// <summary>One file for each audio track of the meeting, in addition to the mix.</summary>
    public bool TrackFiles { get; set; }
}
