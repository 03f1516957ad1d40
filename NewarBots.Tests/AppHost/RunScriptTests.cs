using CliWrap;
using CliWrap.Buffered;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.AppHost;

/// <summary>Runs <c>./run</c> in a copy of the repository's scripts.</summary>
public sealed class RunScriptTests : IDisposable
{
    private readonly ScriptCopy _scripts = new("run", "global.json");

    public void Dispose() => _scripts.Dispose();

    [Fact]
    public async Task A_Docker_engine_that_is_unreachable_is_reported_with_its_address()
    {
        var result = await RunAsync("unix:///nowhere/docker.sock");

        Assert.Equal(1, result.ExitCode);
        Assert.Equal("Error: The Docker engine at DOCKER_HOST=unix:///nowhere/docker.sock is unreachable.", result.StandardError.Trim());
    }

    [Fact]
    [Trait("Suite", "Long")]
    public async Task A_Docker_engine_that_never_answers_is_reported_and_ends_the_wait()
    {
        await using var engine = new EngineProxy();
        engine.Hang();

        var result = await RunAsync(engine.Address);

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("The Docker engine is slow: no answer for 10 s. Waiting for one more minute.", result.StandardOutput, StringComparison.Ordinal);
        Assert.Equal(
            $"Error: The Docker engine at DOCKER_HOST={engine.Address} has not answered for 70 s. Check it with: docker version", result.StandardError.Trim());
    }

    private async Task<BufferedCommandResult> RunAsync(string dockerHost)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromMinutes(3), TimeProvider.System);
        return await Cli.Wrap(_scripts.PathOf("run"))
            .WithEnvironmentVariables(environment => environment.Set("DOCKER_HOST", dockerHost))
            .WithValidation(CommandResultValidation.None)
            .ExecuteBufferedAsync(timeout.Token);
    }
}
