using NewarBots.Manager.Bots.Transcripts;

namespace NewarBots.Tests.Bots.Transcripts;

public sealed class TranscriptionOptionsTests
{
    [Fact]
    public void Without_an_endpoint_nothing_is_on_and_nothing_is_invalid()
    {
        var options = new TranscriptionOptions { Model = "", MaxConcurrent = 0 };

        Assert.False(options.IsOn);
        Assert.True(new TranscriptionOptionsValidator().Validate(null, options).Succeeded);
    }

    [Theory]
    [InlineData("http://localhost:8000", "http://localhost:8000/v1/audio/transcriptions")]
    [InlineData("http://localhost:8000/", "http://localhost:8000/v1/audio/transcriptions")]
    [InlineData("https://api.openai.com/v1", "https://api.openai.com/v1/audio/transcriptions")]
    [InlineData("https://api.groq.com/openai/v1/", "https://api.groq.com/openai/v1/audio/transcriptions")]
    [InlineData("http://gpu/v1/audio/transcriptions", "http://gpu/v1/audio/transcriptions")]
    [InlineData("https://x.example/whisper?api-version=1", "https://x.example/whisper/v1/audio/transcriptions?api-version=1")]
    public void Endpoint_may_be_the_server_its_version_or_the_whole_address(string endpoint, string address) =>
        Assert.Equal(new Uri(address), new TranscriptionOptions { Endpoint = endpoint }.Address);

    [Fact]
    public void Every_invalid_setting_is_reported_and_the_key_is_not_quoted()
    {
        var result = new TranscriptionOptionsValidator().Validate(null, new TranscriptionOptions
        {
            Endpoint = "ftp://server",
            ApiKey = "sk-1 2",
            Model = " ",
            Language = "english please",
            Prompt = new('x', 2001),
            MaxConcurrent = 0,
            Timeout = TimeSpan.Zero,
            MaxUploadMegabytes = 0.1,
        });

        Assert.Equal(
            ["Endpoint", "ApiKey", "Model", "Language", "Prompt", "MaxConcurrent", "Timeout", "MaxUploadMegabytes"],
            result.Failures!.Select(failure => failure.Split(' ')[0]["Transcription:".Length..]));
        Assert.DoesNotContain("sk-1", result.FailureMessage, StringComparison.Ordinal);
    }

    [Fact]
    public void Password_in_the_endpoint_is_rejected_and_not_quoted()
    {
        var result = new TranscriptionOptionsValidator().Validate(null, new TranscriptionOptions { Endpoint = "http://me:secret@server" });

        Assert.True(result.Failed);
        Assert.DoesNotContain("secret", result.FailureMessage, StringComparison.Ordinal);
    }
}
