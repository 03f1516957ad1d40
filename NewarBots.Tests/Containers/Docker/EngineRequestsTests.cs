using System.Net;
using System.Text.RegularExpressions;
using NewarBots.Tests.Fixtures;
using NewarBots.Tests.Lives;

namespace NewarBots.Tests.Containers.Docker;

/// <summary>The engine requests that a restricted socket must allow.</summary>
[Trait(LifeTests.Group, LifeTests.Name)]
public sealed partial class EngineRequestsTests
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_bots_life_needs_only_the_engine_requests_that_the_docs_list_and_the_restricted_socket_allows()
    {
        await using var narrow = await RestrictedEngine.StartAsync();
        await using var proxy = new EngineProxy(narrow.Socket);
        await using var host = await LightHost.StartAsync(("Launching__DockerHost", proxy.Address), ("Launching__Network", $"newarbots-test-{Environment.ProcessId}"));
        var ends = await host.Manager.RecordAsync(host.Manager.Rehearsal("duration=4"), userId: "ends");
        var stopped = await host.Manager.RecordAsync(host.Manager.Rehearsal("duration=600"), userId: "stopped");
        await host.RecordedAsync(stopped, seconds: 2);
        await host.Manager.Api.GetStringAsync(new Uri($"/bots/{stopped}/logs", UriKind.Relative));
        await host.Manager.PostAsync($"/bots/{stopped}/stop");
        foreach (var id in new[] { ends, stopped })
            await host.Manager.UntilAsync(id, Timeout, "completed");

        var listed = Listed().Matches(await File.ReadAllTextAsync(Repository.PathOf("docs", "deployment.md"))).Select(match => match.Groups["request"].Value).ToHashSet();
        var requested = proxy.Requests.Select(Normalize).Distinct().Order(StringComparer.Ordinal).ToList();
        await DockerCli.RunAsync("network", "rm", $"newarbots-test-{Environment.ProcessId}");
        Assert.Equal([], requested.Except(listed));
        Assert.Equal([], new[] { "POST /containers/create", "POST /networks/create", "GET /events", "DELETE /containers/{id}" }.Except(requested));
    }

    [Theory]
    [InlineData("GET", "/v1.41/volumes")]
    [InlineData("GET", "/v1.41/containers/any/archive?path=/")]
    [InlineData("GET", "/v1.41/images/json")]
    [InlineData("POST", "/v1.41/containers/any/exec")]
    [InlineData("POST", "/exec/any/start")]
    [InlineData("POST", "/v1.41/containers/any/attach?stream=1")]
    [InlineData("POST", "/v1.41/images/create?fromImage=any")]
    [InlineData("POST", "/v1.41/containers/any%2F..%2F..%2Fbuild/start")]
    [InlineData("POST", "/v1.41/containers/../build")]
    [InlineData("DELETE", "/v1.41/images/any")]
    [InlineData("PUT", "/v1.41/containers/create")]
    public async Task A_restricted_socket_refuses_requests_that_no_manager_needs(string method, string path)
    {
        await using var narrow = await RestrictedEngine.StartAsync();

        Assert.Equal((HttpStatusCode.Forbidden, HttpStatusCode.OK), (await narrow.AskAsync(method, path), await narrow.AskAsync("GET", "/v1.41/version")));
    }

    /// <summary>Method and path without version, query, id or name.</summary>
    private static string Normalize(string request)
    {
        var parts = request.Split(' ', '?')[1].Split('/', StringSplitOptions.RemoveEmptyEntries).SkipWhile(part => part[0] == 'v' && char.IsDigit(part[1])).ToList();
        if (parts is ["containers" or "networks" or "images", not ("json" or "create"), ..])
            parts = [parts[0], parts[0] == "images" ? "{name}" : "{id}", .. parts.Skip(2).TakeLast(1)];
        return $"{request.Split(' ')[0]} /{string.Join('/', parts)}";
    }

    [GeneratedRegex(@"^\| `(?<request>(GET|POST|DELETE) /[^`]+)`", RegexOptions.Multiline | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Listed();
}
