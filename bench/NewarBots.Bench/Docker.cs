using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using NewarBots.Manager.Containers;

namespace NewarBots.Bench;

/// <summary>The Docker engine's raw HTTP API, for statistics, events and sizes that the product does not need.</summary>
internal sealed class Docker : IDisposable
{
    private const string Socket = "/var/run/docker.sock";

    private readonly HttpClient _engine = new(new SocketsHttpHandler
    {
        ConnectCallback = async (_, cancellation) =>
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(Socket), cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        },
    })
    {
        BaseAddress = new("http://docker"),
    };

    public async Task<JsonNode> GetAsync(string path, CancellationToken cancellation) =>
        (await _engine.GetFromJsonAsync<JsonNode>(path, cancellation))!;

    public async Task<string> GetTextAsync(string path, CancellationToken cancellation) => await _engine.GetStringAsync(path, cancellation);

    /// <exception cref="InvalidOperationException">The engine rejected the request; the message contains its response.</exception>
    public async Task<JsonNode?> PostAsync(string path, JsonNode? body, CancellationToken cancellation)
    {
        using var content = body is null ? null : JsonContent.Create(body);
        using var response = await _engine.PostAsync(new Uri(path, UriKind.Relative), content, cancellation);
        var answer = await response.Content.ReadAsStringAsync(cancellation);
        if (!response.IsSuccessStatusCode)
            throw new InvalidOperationException($"Docker rejected {path}: {answer}");
        return answer.Length == 0 ? null : JsonNode.Parse(answer);
    }

    /// <summary>Removes the containers and network of a killed manager. Does nothing without a Docker engine.</summary>
    public async Task RemoveAllAsync(string stack, string network)
    {
        try
        {
            var filter = Uri.EscapeDataString(new JsonObject { ["label"] = new JsonArray($"{RecorderLabels.Stack}={stack}") }.ToJsonString());
            foreach (var container in (await GetAsync($"/containers/json?all=true&filters={filter}", CancellationToken.None)).AsArray())
                await RemoveAsync($"/containers/{container!["Id"]}?force=true&v=true");
            await RemoveAsync($"/networks/{network}");
        }
        catch (HttpRequestException)
        {
            // Without an engine there are no containers.
        }
    }

    public void Dispose() => _engine.Dispose();

    private async Task RemoveAsync(string path)
    {
        using var response = await _engine.DeleteAsync(new Uri(path, UriKind.Relative));
    }
}
