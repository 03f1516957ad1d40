using System.ComponentModel;
using CliWrap.Buffered;
using NewarBots.Tests.Bots;

namespace NewarBots.Tests.OpenApi;

/// <summary>Tools of others accept the OpenAPI document. They come from npm; without npm or its registry, the tests are skipped.</summary>
[Trait("Suite", "Long")]
public sealed class GeneratedClientTests(QueueingManager queueing, OpenApiTools tools) : IClassFixture<QueueingManager>, IClassFixture<OpenApiTools>
{
    /// <summary>The README's calls in its order, and those for participants and screenshots. Written by hand, so a change of the README needs a change here.</summary>
    private const string Program =
        """
        import createClient from "openapi-fetch";
        import type { components, paths } from "./api";

        const api = createClient<paths>({ baseUrl: "http://localhost:8082" });

        export async function record(): Promise<string> {
          const { data: sent, error } = await api.POST("/bots", {
            body: { meetingUrl: "http://localhost:8082/rehearsal/abc-defg-hij?scenario=taking-turns", botName: "Notes" },
          });
          if (!sent) throw new Error(`${error.type}: ${error.detail}`);
          const path = { id: sent.id };
          const { data: bot } = await api.GET("/bots/{id}", { params: { path } });
          await api.GET("/bots/{id}/events", { params: { path }, parseAs: "stream" });
          await api.GET("/bots/{id}/recording", { params: { path }, parseAs: "blob" });
          const { data: manifest } = await api.GET("/bots/{id}/manifest", { params: { path } });
          const { data: people } = await api.GET("/bots/{id}/participants", { params: { path } });
          await api.GET("/bots/{id}/screenshot", { params: { path }, parseAs: "blob" });
          await api.POST("/bots", { body: { meetingUrl: "https://meet.google.com/abc-defg-hij" } });
          await api.POST("/bots/{id}/stop", { params: { path } });
          return `${bot?.reason ?? "none"} ${manifest?.gaps.length} ${people?.items[0]?.joinedAt}`;
        }

        export const request: components["schemas"]["CreateBot"] = { meetingUrl: "https://meet.google.com/abc-defg-hij" };
        export const key: components["schemas"]["CreateKey"] = { name: "Notes" };
        export const webhook: components["schemas"]["CreateWebhook"] = { url: "https://example.com/newarbots", events: ["bot.completed", "speaker.started"] };
        export const leave: components["schemas"]["LeaveConditions"] = { everyoneLeftTimeout: 120 };
        """;

    [Fact]
    public async Task Calls_of_the_README_compile_with_types_that_openapi_typescript_generates()
    {
        await tools.WriteAsync("openapi.json", await DocumentAsync());
        await tools.WriteAsync("program.ts", Program);

        await tools.RunAsync("openapi-typescript", "openapi.json", "-o", "api.d.ts");
        await tools.RunAsync("tsc", "--strict", "--noEmit", "--target", "es2022", "--module", "esnext", "--moduleResolution", "bundler", "program.ts");
    }

    [Fact]
    public async Task Redocly_finds_nothing()
    {
        await tools.WriteAsync("openapi.json", await DocumentAsync());
        // The project does not name a license.
        await tools.WriteAsync("redocly.yaml", "extends: [recommended]\nrules: {info-license: off}\n");

        var output = await tools.RunAsync("redocly", "lint", "openapi.json", "--config", "redocly.yaml", "--format", "github-actions");

        Assert.DoesNotContain("::error", output, StringComparison.Ordinal);
        Assert.DoesNotContain("::warning", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Spectral_finds_nothing()
    {
        await tools.WriteAsync("openapi.json", await DocumentAsync());
        await tools.WriteAsync("spectral.yaml", "extends: ['spectral:oas']\n");

        await tools.RunAsync("spectral", "lint", "openapi.json", "--ruleset", "spectral.yaml", "--fail-severity", "hint");
    }

    private async Task<string> DocumentAsync() => (await queueing.Manager.GetAsync("/openapi/v1.json")).Body!.ToJsonString();
}

/// <summary>A folder with the tools.</summary>
public sealed class OpenApiTools : IAsyncLifetime
{
    private static readonly string[] Packages =
        ["openapi-typescript@7.13.0", "openapi-fetch@0.17.0", "typescript@5.9.3", "@redocly/cli@1.34.5", "@stoplight/spectral-cli@6.15.0"];

    private readonly string _folder = Directory.CreateTempSubdirectory("newarbots-openapi-").FullName;
    private string? _missing;

    public async ValueTask InitializeAsync()
    {
        try
        {
            var (code, output) = await ExecuteAsync("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=1", "--fetch-timeout=60000", .. Packages]);
            if (code != 0)
                _missing = $"npm cannot install the tools: {output.Split('\n', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault(line => line.Contains("error", StringComparison.Ordinal))}";
        }
        catch (Win32Exception)
        {
            _missing = "npm is missing. Install it to check the OpenAPI document with the tools of others.";
        }
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    internal Task WriteAsync(string file, string text) => File.WriteAllTextAsync(Path.Combine(_folder, file), text, TestContext.Current.CancellationToken);

    /// <summary>Runs a tool, which must succeed.</summary>
    internal async Task<string> RunAsync(string tool, params string[] arguments)
    {
        Assert.SkipWhen(_missing is not null, _missing ?? string.Empty);
        var (code, output) = await ExecuteAsync(Path.Combine(_folder, "node_modules", ".bin", tool), arguments);
        Assert.True(code == 0, $"{tool} {string.Join(' ', arguments)} failed: {output}");
        return output;
    }

    private async Task<(int Code, string Output)> ExecuteAsync(string program, string[] arguments)
    {
        var result = await CliWrap.Cli.Wrap(program).WithArguments(arguments).WithWorkingDirectory(_folder)
            .WithEnvironmentVariables(variables => variables.Set("REDOCLY_TELEMETRY", "off").Set("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true"))
            .WithValidation(CliWrap.CommandResultValidation.None)
            .ExecuteBufferedAsync(TestContext.Current.CancellationToken);
        return (result.ExitCode, result.StandardOutput + result.StandardError);
    }
}
