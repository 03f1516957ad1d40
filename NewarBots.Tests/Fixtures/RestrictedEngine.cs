using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace NewarBots.Tests.Fixtures;

/// <summary>The Docker engine behind a real HAProxy with <c>deploy/docker-proxy.cfg</c>.</summary>
internal sealed class RestrictedEngine : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("newarbots-proxy-");
    private readonly Process _haproxy;
    private readonly HttpClient _client;

    private RestrictedEngine()
    {
        _haproxy = new Process { StartInfo = new("haproxy", ["-f", Repository.PathOf("deploy", "docker-proxy.cfg")]) };
        _haproxy.StartInfo.Environment["NEWARBOTS_DOCKER_PROXY"] = Socket;
        _client = new HttpClient(new SocketsHttpHandler { ConnectCallback = ConnectAsync }) { BaseAddress = new("http://engine") };
    }

    public string Socket => Path.Combine(_folder.FullName, "docker.sock");

    public static async Task<RestrictedEngine> StartAsync()
    {
        var engine = new RestrictedEngine();
        engine._haproxy.Start();
        await Eventually.TrueAsync(() => engine._haproxy.HasExited ? throw new InvalidOperationException("HAProxy has exited.") : File.Exists(engine.Socket));
        return engine;
    }

    public async Task<HttpStatusCode> AskAsync(string method, string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Parse(method), new Uri($"http://engine{path}", new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }));
        using var response = await _client.SendAsync(request);
        return response.StatusCode;
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        _haproxy.Kill(entireProcessTree: true);
        await _haproxy.WaitForExitAsync();
        _haproxy.Dispose();
        _folder.Delete(recursive: true);
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        var socket = new System.Net.Sockets.Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(Socket), cancellation);
        return new NetworkStream(socket, ownsSocket: true);
    }
}
