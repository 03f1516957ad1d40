using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.TestHost;
using NewarBots.Manager.Rehearsal;

namespace NewarBots.Tests.Rehearsal;

public sealed partial class RehearsalPageTests : IAsyncLifetime
{
    private WebApplication _app = null!;
    private HttpClient _client = null!;

    public async ValueTask InitializeAsync() => (_app, _client) = await ServeAsync("Development");

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    [Fact]
    public async Task Page_contains_its_scenario_as_JSON()
    {
        var html = await _client.GetStringAsync("/rehearsal/abc-defg-hij?participants=2&leave=1:3&duration=40");

        var json = WebUtility.HtmlDecode(ScenarioAttribute.Match(html).Value);
        var scenario = JsonDocument.Parse(json).RootElement;
        Assert.Equal(40, scenario.GetProperty("call").GetProperty("endAfter").GetDouble());
        Assert.Equal("Admitted", scenario.GetProperty("lobby").GetProperty("answer").GetString());
        var second = scenario.GetProperty("participants")[1];
        Assert.Equal(3, second.GetProperty("leavesAt").GetDouble());
        Assert.Equal(1000, second.GetProperty("voice").GetProperty("base").GetInt32());
    }

    [Theory]
    [InlineData("/rehearsal")]
    [InlineData("/rehearsal/abc-defg-hij")]
    [InlineData("/rehearsal/abc-defg-hij?participants=9")]
    public async Task Content_security_policy_allows_only_the_pages_own_scripts_and_trusted_types(string path)
    {
        var response = await _client.GetAsync(path);

        var policy = Assert.Single(response.Headers.GetValues("Content-Security-Policy"));
        Assert.Contains("script-src 'self';", policy, StringComparison.Ordinal);
        Assert.Contains("require-trusted-types-for 'script'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        var html = await response.Content.ReadAsStringAsync();
        Assert.DoesNotMatch("(?i)<script(?![^>]* src=)|<[a-z]+[^>]* (on[a-z]+|style)=|https?://(?!localhost)", html);
    }

    [Fact]
    public async Task Every_script_and_stylesheet_that_a_page_loads_exists()
    {
        var html = await _client.GetStringAsync("/rehearsal/abc-defg-hij") + await _client.GetStringAsync("/rehearsal");
        var paths = Asset.Matches(html).Select(match => match.Value).Distinct().ToList();
        string?[] types = ["text/javascript", "text/css"];
        for (var i = 0; i < paths.Count; i++)
        {
            var response = await _client.GetAsync(paths[i]);
            Assert.Contains(response.EnsureSuccessStatusCode().Content.Headers.ContentType!.MediaType, types);
            var imports = Import.Matches(await response.Content.ReadAsStringAsync());
            paths.AddRange(imports.Select(match => $"/rehearsal/assets/{match.Value}").Except(paths));
        }

        Assert.Equal(11, paths.Count);
    }

    [Fact]
    public async Task Every_template_used_by_a_script_exists_and_ids_are_unique()
    {
        var html = await _client.GetStringAsync("/rehearsal/abc-defg-hij");
        string[] files = ["screens.js", "lobby.js", "call.js"];
        var scripts = await Task.WhenAll(files.Select(file => _client.GetStringAsync($"/rehearsal/assets/{file}")));

        Assert.Distinct(Id.Matches(html).Select(match => match.Value));
        Assert.Subset(
            Template.Matches(html).Select(match => match.Value).ToHashSet(),
            UsedTemplate.Matches(string.Concat(scripts)).Select(match => match.Value).ToHashSet());
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("ABC-DEFG-HIJ")]
    [InlineData("abc-defg-hij%0A")]
    [InlineData("%3Cscript%3E")]
    public async Task Invalid_meeting_code_shows_Meets_not_found_page(string code)
    {
        var response = await _client.GetAsync($"/rehearsal/{code}?participants=nonsense");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var html = await response.Content.ReadAsStringAsync();
        Assert.Contains("&quot;opens&quot;:&quot;NotFound&quot;", html, StringComparison.Ordinal);
        Assert.DoesNotContain("<script>", html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Invalid_parameter_is_reported_as_escaped_text()
    {
        var response = await _client.GetAsync("/rehearsal/abc-defg-hij?duration=%3Cimg%3E");

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains(
            "<li>duration must be a number of seconds from 0 to 86400, not &#x27;&lt;img&gt;&#x27;.</li>",
            await response.Content.ReadAsStringAsync(),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Endless_redirect_redirects_to_its_own_URL()
    {
        var path = "/rehearsal/abc-defg-hij?opens=redirects&participants=2";

        var response = await _client.GetAsync(path);

        Assert.Equal((HttpStatusCode.Found, path), (response.StatusCode, response.Headers.Location!.ToString()));
    }

    [Fact]
    public async Task Unanswered_request_does_not_keep_the_manager_from_stopping()
    {
        var (app, client) = await ServeAsync("Development");
        var answer = client.GetAsync("/rehearsal/abc-defg-hij?opens=never");

        await app.StopAsync().WaitAsync(TimeSpan.FromSeconds(10));

        await app.DisposeAsync();
        await Task.WhenAny(answer);
        Assert.True(answer.IsCompleted);
    }

    [Fact]
    public async Task Index_lists_every_scenario_and_every_parameter()
    {
        var html = await _client.GetStringAsync("/rehearsal");

        Assert.All(
            NamedScenario.All.Select(scenario => $"""href="/rehearsal/abc-defg-hij?scenario={scenario.Name}">"""),
            link => Assert.Contains(link, html, StringComparison.Ordinal));
        var documented = Parameter.Matches(html).Select(match => match.Value).ToHashSet();
        var used = NamedScenario.All.SelectMany(scenario => scenario.Parameters).Select(parameter => parameter.Key).ToHashSet();
        Assert.Superset(used, documented);
    }

    [Theory]
    [InlineData("Production", null, HttpStatusCode.NotFound)]
    [InlineData("Production", "true", HttpStatusCode.OK)]
    [InlineData("Development", "false", HttpStatusCode.NotFound)]
    public async Task Rehearsals_are_enabled_in_Development_or_by_the_setting(
        string environment, string? enabled, HttpStatusCode expected)
    {
        var (app, client) = await ServeAsync(environment, enabled);
        await using (app)
            Assert.Equal(expected, (await client.GetAsync("/rehearsal/abc-defg-hij")).StatusCode);
    }

    private static async Task<(WebApplication App, HttpClient Client)> ServeAsync(string environment, string? enabled = null)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = environment });
        builder.WebHost.UseTestServer();
        if (enabled is not null)
            builder.Configuration["Rehearsal:Enabled"] = enabled;
        builder.AddRehearsal();
        var app = builder.Build();
        app.MapRehearsal();
        await app.StartAsync();
        return (app, app.GetTestClient());
    }

    [GeneratedRegex("(?<=data-scenario=\")[^\"]*", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex ScenarioAttribute { get; }

    [GeneratedRegex("/rehearsal/assets/[a-z.-]+", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Asset { get; }

    [GeneratedRegex("(?<=from '\\./)[a-z.-]+", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Import { get; }

    [GeneratedRegex("(?<= id=\")[^\"]*", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Id { get; }

    [GeneratedRegex("(?<=<template id=\")[^\"]*", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Template { get; }

    [GeneratedRegex("(?<=(?:showScreen|cloneTemplate)\\(')[^']*", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex UsedTemplate { get; }

    [GeneratedRegex("(?<=<td><code>)[a-zA-Z]+", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Parameter { get; }
}
