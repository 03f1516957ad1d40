using NewarBots.Contract;

namespace NewarBots.Tests.Contract;

public sealed class RecorderEnvironmentTests
{
    private static RecorderEnvironment Full { get; } = new()
    {
        SessionFolder = "/elsewhere",
        ChromiumSandbox = false,
        GenerateAudio = true,
        Browser = BrowserKind.HeadlessShell,
    };

    [Fact]
    public void The_recorder_reads_exactly_what_the_manager_writes()
    {
        var variables = Full.ToVariables();

        Assert.Equal(Full, RecorderEnvironment.Read(name => variables.GetValueOrDefault(name)));
        Assert.Empty(new RecorderEnvironment().ToVariables());
        Assert.Equal(new RecorderEnvironment(), RecorderEnvironment.Read(_ => null));
    }

    [Fact]
    public void All_invalid_variables_are_reported_together()
    {
        var variables = new Dictionary<string, string> { ["CHROMIUM_SANDBOX"] = "perhaps", ["BROWSER"] = "lynx" };

        var fault = Assert.Throws<InvalidRecorderInputException>(() => RecorderEnvironment.Read(variables.GetValueOrDefault));

        Assert.Equal(["CHROMIUM_SANDBOX", "BROWSER"], fault.Faults.Select(text => text.Split(' ')[0]));
    }
}
