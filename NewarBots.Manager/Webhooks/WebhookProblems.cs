using Microsoft.AspNetCore.Http.HttpResults;
using NewarBots.Contract;
using NewarBots.Manager.Bots;

namespace NewarBots.Manager.Webhooks;

internal static class WebhookProblems
{
    public static ProblemHttpResult NotFound() => BotProblems.Problem(ProblemTypes.WebhookNotFound, "Check the id; GET /webhooks lists yours.");

    public static ProblemHttpResult DeliveryNotFound() =>
        BotProblems.Problem(ProblemTypes.DeliveryNotFound, $"Messages are kept for {Deliveries.KeptFor.TotalDays:0} days.");

    public static ProblemHttpResult TooMany(UserId user) =>
        BotProblems.Problem(ProblemTypes.TooManyWebhooks, $"User {user} has {WebhookEndpoints.MaxOfOneUser}. Delete one first.", new() { ["limit"] = WebhookEndpoints.MaxOfOneUser });

    public static ProblemHttpResult Disabled() =>
        BotProblems.Problem(ProblemTypes.WebhookDisabled, "Its receiver answered 410 Gone. Delete it, and make another one.");
}
