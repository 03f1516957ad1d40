using Microsoft.AspNetCore.Http.HttpResults;
using NewarBots.Manager.Api;

namespace NewarBots.Manager.Access;

/// <summary>Reasons to reject a caller.</summary>
internal static class AccessProblems
{
    /// <summary>The command that creates the first key.</summary>
    public const string CreateKeyCommand = "./run keys add NAME --role admin";

    public static ProblemHttpResult KeyRequired() => Problem(ProblemTypes.KeyRequired);

    public static ProblemHttpResult KeyNotValid() => Problem(ProblemTypes.KeyNotValid);

    public static ProblemHttpResult NotAllowed() => Problem(ProblemTypes.NotAllowed);

    public static ProblemHttpResult LocalOnly() => Problem(ProblemTypes.LocalOnly);

    public static ProblemHttpResult KeyNotFound() => Problem(ProblemTypes.KeyNotFound);

    public static ProblemHttpResult FirstKeyByCommand() => Problem(ProblemTypes.FirstKeyByCommand);

    public static ProblemHttpResult TooManyRequests() => Problem(ProblemTypes.TooManyRequests);

    public static ProblemHttpResult KeysUnreadable() => Problem(ProblemTypes.KeysUnreadable);

    private static ProblemHttpResult Problem(ProblemType type) => ApiProblems.Problem(type, type.Advice);
}
