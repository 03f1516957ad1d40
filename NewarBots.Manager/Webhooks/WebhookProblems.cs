using Microsoft.AspNetCore.Http.HttpResults;
using NewarBots.Contract;
using NewarBots.Manager.Api;

namespace NewarBots.Manager.Webhooks;

internal static class WebhookProblems
{
    public static ProblemHttpResult NotFound() => ApiProblems.Problem(ProblemTypes.WebhookNotFound, ProblemTypes.WebhookNotFound.Advice);

    public static ProblemHttpResult DeliveryNotFound() =>
        ApiProblems.Problem(ProblemTypes.DeliveryNotFound, $"Messages are kept for {DeliveryStore.Retention.TotalDays:0} days.");

    public static ProblemHttpResult TooMany(UserId user) =>
        ApiProblems.Problem(ProblemTypes.TooManyWebhooks, $"User {user} has {WebhookEndpoints.MaxPerUser}. Delete one first.", new() { ["limit"] = WebhookEndpoints.MaxPerUser });

    public static ProblemHttpResult Disabled() =>
        ApiProblems.Problem(ProblemTypes.WebhookDisabled, ProblemTypes.WebhookDisabled.Advice);
}
