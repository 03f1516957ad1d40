using Microsoft.AspNetCore.Http.HttpResults;
using NewarBots.Contract;
using NewarBots.Manager.Api;

namespace NewarBots.Manager.Webhooks;

internal static class WebhookProblems
{
    public static ProblemHttpResult NotFound() => ApiProblems.Problem(ProblemTypes.WebhookNotFound, "Check the id; GET /webhooks lists yours.");

    public static ProblemHttpResult DeliveryNotFound() =>
        ApiProblems.Problem(ProblemTypes.DeliveryNotFound, $"Messages are kept for {DeliveryStore.KeptFor.TotalDays:0} days.");

    public static ProblemHttpResult TooMany(UserId user) =>
        ApiProblems.Problem(ProblemTypes.TooManyWebhooks, $"User {user} has {WebhookEndpoints.MaxOfOneUser}. Delete one first.", new() { ["limit"] = WebhookEndpoints.MaxOfOneUser });

    public static ProblemHttpResult Disabled() =>
        ApiProblems.Problem(ProblemTypes.WebhookDisabled, "Its receiver answered 410 Gone. Delete it, and make another one.");
}
