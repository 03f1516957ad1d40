using System.Net.Sockets;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Containers.Docker;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Containers.Docker;

/// <summary>Misbehaving engines, simulated by a socket.</summary>
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
    public async Task A_call_to_an_engine_that_never_responds_times_out()
    {
        var calling = CallAsync(CancellationToken.None);
        using var connection = await _listener.AcceptAsync();

        _time.Advance(DockerEngine.ShortTimeout);

        var failure = await Assert.ThrowsAsync<ContainerEngineException>(() => calling);
        Assert.Equal(ContainerEngineFailure.Unreachable, failure.Failure);
        Assert.Contains("did not respond within 10 s", failure.Message, StringComparison.Ordinal);
        Assert.Equal(
            new Measured("newarbots.docker.duration", 10, "newarbots.operation=call error.type=unreachable"),
            Assert.Single(_metrics.Of("newarbots.docker.duration")));
    }

    [Fact]
    public async Task A_call_can_be_cancelled()
    {
        using var cancellation = new CancellationTokenSource();
        var calling = CallAsync(cancellation.Token);
        using var connection = await _listener.AcceptAsync();

        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => calling);
    }

    [Theory]
    [InlineData("")]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n<html")]
    public async Task A_server_that_is_no_Docker_engine_is_reported_as_unreachable(string response)
    {
        var failure = await CallWithResponseAsync(response);

        Assert.Equal(ContainerEngineFailure.Unreachable, failure.Failure);
        Assert.DoesNotContain('\n', failure.Message);
    }

    [Theory]
    [InlineData("""{"message":"no space left\non device"}""", "Docker refused: no space left on device (500)")]
    [InlineData("bad gateway", "Docker refused: bad gateway (500)")]
    public async Task An_error_response_becomes_a_message_of_one_line(string body, string message)
    {
        var failure = await CallWithResponseAsync($"HTTP/1.1 500 Internal Server Error\r\nContent-Length: {body.Length}\r\n\r\n{body}");

        Assert.Equal((ContainerEngineFailure.Refused, message), (failure.Failure, failure.Message));
    }

    [Fact]
    public async Task The_event_stream_ends_with_an_exception_when_the_engine_disconnects()
    {
        var following = _engine.FollowAsync(
            (docker, token) => docker.System.MonitorEventsAsync(new(), new Progress<global::Docker.DotNet.Models.Message>(), token),
            CancellationToken.None);
        await RespondAsync("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");

        var failure = await Assert.ThrowsAsync<ContainerEngineException>(() => following);

        Assert.Equal(ContainerEngineFailure.Unreachable, failure.Failure);
    }

    private Task<global::Docker.DotNet.Models.VersionResponse> CallAsync(CancellationToken cancellation) =>
        _engine.CallAsync((docker, token) => docker.System.GetVersionAsync(token), cancellation);

    private async Task<ContainerEngineException> CallWithResponseAsync(string response)
    {
        var calling = CallAsync(CancellationToken.None);
        await RespondAsync(response);
        return await Assert.ThrowsAsync<ContainerEngineException>(() => calling);
    }

    private async Task RespondAsync(string response)
    {
        using var connection = await _listener.AcceptAsync();
        await connection.ReceiveAsync(new byte[4096]);
        await connection.SendAsync(System.Text.Encoding.UTF8.GetBytes(response));
        connection.Shutdown(SocketShutdown.Both);
    }
}
