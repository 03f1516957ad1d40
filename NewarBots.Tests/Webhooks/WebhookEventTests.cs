using System.Text.Json.Nodes;
using NewarBots.Contract;
using NewarBots.Manager.Webhooks;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Webhooks;

public sealed class WebhookEventTests
{
    [Fact]
    public void Message_about_a_silent_recording_says_what_is_missing()
    {
        var bot = SampleBots.In(BotStatus.Completed) with
        {
            Recording = new("ogg", 1000, 55, Complete: false)
            {
                MissingSeconds = 52.9,
                Warning = new(EndReason.NoAudio, "52.9 of 55.0 s are missing. Track 1 is not heard."),
            },
        };

        var message = JsonNode.Parse(WebhookEvent.Of(bot, SampleBots.Noon).Payload)!;

        Assert.Equal("bot.completed", (string?)message["type"]);
        var recording = message["data"]!["recording"]!;
        Assert.Equal((false, 52.9), ((bool)recording["complete"]!, (double)recording["missingSeconds"]!));
        Assert.Equal("no_audio", (string?)recording["warning"]!["reason"]);
        Assert.Equal("52.9 of 55.0 s are missing. Track 1 is not heard.", (string?)recording["warning"]!["text"]);
    }
}
