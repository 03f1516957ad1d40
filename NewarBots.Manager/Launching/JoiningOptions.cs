using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Bots;

namespace NewarBots.Manager.Launching;

/// <summary>Section <c>Joining</c>: how bots go into meetings.</summary>
internal sealed class JoiningOptions
{
    public const string Section = "Joining";

    /// <summary>A file with a <see cref="Contract.SelectorPack"/>; the one that is built into the recorder where it is not set.</summary>
    public string? SelectorPack { get; set; }

    /// <summary>
    /// A file with a <see cref="Contract.StorageState"/>: the account that bots are signed in with. Guests without an account
    /// where it is not set.
    /// </summary>
    public string? StorageState { get; set; }

    /// <summary>The word of a <see cref="BrowserKind"/>: <c>headed</c> or <c>headless_shell</c>.</summary>
    public string Browser { get; set; } = WireWord.Of(BrowserKind.Headed);
}

/// <summary>Reports every mistake at once, each by the key to change; the files with the place in them.</summary>
internal sealed class JoiningOptionsValidator : IValidateOptions<JoiningOptions>
{
    public ValidateOptionsResult Validate(string? name, JoiningOptions options)
    {
        var faults = Faults(options).ToList();
        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    private static IEnumerable<string> Faults(JoiningOptions options)
    {
        foreach (var file in JoiningFile.Of(options))
        {
            if (WhyNot(file) is { } fault)
                yield return fault;
        }

        if (!WireWord.TryParse(options.Browser, out BrowserKind _))
            yield return $"Joining:Browser must be {WireWord.Choice<BrowserKind>()} (it is '{options.Browser}').";
    }

    private static string? WhyNot(JoiningFile file)
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
