using NewarBots.Manager.Webhooks;

namespace NewarBots.Tests.Webhooks;

public sealed class WebhookSignatureTests
{
    /// <summary>The example of the specification's reference libraries.</summary>
    [Fact]
    public void A_signature_matches_the_example_of_the_specification()
    {
        var signature = WebhookSignature.Sign(
            ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            DateTimeOffset.FromUnixTimeSeconds(1614265330),
            """{"test": 2432232314}""");

        Assert.Equal("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", signature);
    }

    [Fact]
    public void Each_secret_adds_a_signature()
    {
        var time = DateTimeOffset.FromUnixTimeSeconds(1614265330);
        string[] secrets = [WebhookSignature.NewSecret(), WebhookSignature.NewSecret()];

        var signatures = WebhookSignature.Sign(secrets, "msg_1", time, "{}").Split(' ');

        Assert.Equal(signatures, secrets.Select(secret => WebhookSignature.Sign([secret], "msg_1", time, "{}")));
        Assert.NotEqual(signatures[0], signatures[1]);
    }

    [Fact]
    public void A_secret_has_the_length_that_the_specification_requires() =>
        Assert.InRange(Convert.FromBase64String(WebhookSignature.NewSecret()["whsec_".Length..]).Length, 24, 64);
}
