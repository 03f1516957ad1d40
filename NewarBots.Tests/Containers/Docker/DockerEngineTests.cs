using System.Net.Sockets;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Containers.Docker;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Containers.Docker;

/// <summary>An engine that behaves badly: a socket that somebody else listens on.</summary>
public sealed class DockerEngineTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("newarbots-engine-");
    private readonly FakeTimeProvider _time = new();
    private readonly MetricsProbe _metrics = new();
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly DockerEngine _engine;

    public DockerEngineTests()
    {
        var socket = Path.Combine(_folder.FullName, "docker.sock");
        _listener.Bind(new UnixDomainSocketEndPoint(socket));
        _listener.Listen();
        _engine = new(Options.Create(new LaunchingOptions { DockerHost = $"unix://{socket}" }), _metrics.Bots, _time);
    }

    public void Dispose()
    {
        _engine.Dispose();
        _metrics.Dispose();
        _listener.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task One_that_never_answers_is_given_up_in_time()
    {
        var asking = AskAsync(CancellationToken.None);
        using var connection = await _listener.AcceptAsync();

        _time.Advance(DockerEngine.Patience);

        var failure = await Assert.ThrowsAsync<ContainerEngineException>(() => asking);
        Assert.Equal(ContainerEngineFailure.Unreachable, failure.Failure);
        Assert.Contains("does not answer within 10 s", failure.Message, StringComparison.Ordinal);
        Assert.Equal(
            new Measured("newarbots.docker.duration", 10, "newarbots.operation=ask error.type=unreachable"),
            Assert.Single(_metrics.Of("newarbots.docker.duration")));
    }

    [Fact]
    public async Task Whoever_asked_may_change_their_mind()
    {
        using var cancellation = new CancellationTokenSource();
        var asking = AskAsync(cancellation.Token);
        using var connection = await _listener.AcceptAsync();

        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
    }

    [Theory]
    [InlineData("")]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n<html")]
    public async Task One_that_is_no_engine_cannot_be_reached(string answer)
    {
        var failure = await AskAnsweredAsync(answer);

        Assert.Equal(ContainerEngineFailure.Unreachable, failure.Failure);
        Assert.DoesNotContain('\n', failure.Message);
    }

    [Theory]
    [InlineData("""{"message":"no space left\non device"}""", "Docker refused: no space left on device (500)")]
    [InlineData("bad gateway", "Docker refused: bad gateway (500)")]
    public async Task Its_refusal_is_told_in_one_line(string body, string message)
    {
        var failure = await AskAnsweredAsync($"HTTP/1.1 500 Internal Server Error\r\nContent-Length: {body.Length}\r\n\r\n{body}");

        Assert.Equal((ContainerEngineFailure.Refused, message), (failure.Failure, failure.Message));
    }

    [Fact]
    public async Task Its_events_end_by_an_exception_when_it_goes_away()
    {
        var following = _engine.FollowAsync(
            (docker, token) => docker.System.MonitorEventsAsync(new(), new Progress<global::Docker.DotNet.Models.Message>(), token),
            CancellationToken.None);
        await AnswerAsync("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");

        var failure = await Assert.ThrowsAsync<ContainerEngineException>(() => following);

        Assert.Equal(ContainerEngineFailure.Unreachable, failure.Failure);
    }

    private Task<global::Docker.DotNet.Models.VersionResponse> AskAsync(CancellationToken cancellation) =>
        _engine.AskAsync((docker, token) => docker.System.GetVersionAsync(token), cancellation);

    private async Task<ContainerEngineException> AskAnsweredAsync(string answer)
    {
        var asking = AskAsync(CancellationToken.None);
        await AnswerAsync(answer);
        return await Assert.ThrowsAsync<ContainerEngineException>(() => asking);
    }

    private async Task AnswerAsync(string answer)
    {
        using var connection = await _listener.AcceptAsync();
        await connection.ReceiveAsync(new byte[4096]);
        await connection.SendAsync(System.Text.Encoding.UTF8.GetBytes(answer));
        connection.Shutdown(SocketShutdown.Both);
    }
}
