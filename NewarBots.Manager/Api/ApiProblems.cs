using Microsoft.AspNetCore.Http.HttpResults;
using NewarBots.Contract;

namespace NewarBots.Manager.Api;

/// <summary>The problem details that any endpoint can return.</summary>
internal static class ApiProblems
{
    public static ProblemHttpResult InvalidRequest(IReadOnlyDictionary<string, string[]> faults) => Problem(
        ProblemTypes.InvalidRequest,
        string.Join("; ", faults.SelectMany(field => field.Value.Select(fault => $"{field.Key} {fault}"))),
        new() { ["errors"] = faults });

    public static ProblemHttpResult InvalidRequest(string field, string fault) =>
        InvalidRequest(new Dictionary<string, string[]> { [field] = [fault] });

    public static ProblemHttpResult UnreadableBody(BadHttpRequestException error) => error.StatusCode is StatusCodes.Status408RequestTimeout
        ? Problem(ProblemTypes.RequestTimeout, ProblemTypes.RequestTimeout.Advice)
        : InvalidRequest("body", $"cannot be read: {error.Message}");

    public static ProblemHttpResult UnsupportedMediaType() => Problem(ProblemTypes.UnsupportedMediaType, ProblemTypes.UnsupportedMediaType.Advice);

    public static ProblemHttpResult CrossSiteRequest() => Problem(ProblemTypes.CrossSiteRequest, ProblemTypes.CrossSiteRequest.Advice);

    public static readonly string UserIdFault = $"must be 1 to {UserId.MaxLength} of the characters a-z 0-9 - _";

    /// <param name="reason">Why Redis rejects changes, if it is reachable.</param>
    public static ProblemHttpResult StoreUnavailable(string? reason = null) => Problem(
        ProblemTypes.StoreUnavailable,
        (reason is null ? "" : $"{reason} ") + "Running bots keep recording. Try again in a few seconds; GET /health shows when Redis is back.");

    public static ProblemHttpResult EngineUnavailable(string detail) => Problem(
        ProblemTypes.EngineUnavailable, detail);

    public static ProblemHttpResult NoSuchCall() => Problem(ProblemTypes.NoSuchCall, ProblemTypes.NoSuchCall.Advice);

    public static ProblemHttpResult InternalError() => Problem(ProblemTypes.InternalError, ProblemTypes.InternalError.Advice);

    public static ProblemHttpResult Problem(ProblemType type, string detail, Dictionary<string, object?>? extensions = null) =>
        TypedResults.Problem(detail, instance: null, type.Status, type.Title, type.Uri, extensions);
}
