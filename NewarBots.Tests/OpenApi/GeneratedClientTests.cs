using CliWrap.Buffered;
using NewarBots.Tests.Bots;

namespace NewarBots.Tests.OpenApi;

/// <summary>TypeScript types generated from the OpenAPI document accept the README's request as it is.</summary>
[Trait("Suite", "Long")]
public sealed class GeneratedClientTests(QueueingManager queueing) : IClassFixture<QueueingManager>
{
    private const string Program =
        """
        import type { components } from "./api";
        export const request: components["schemas"]["CreateBot"] = { meetingUrl: "https://meet.google.com/abc-defg-hij" };
        export const key: components["schemas"]["CreateKey"] = { name: "Notes" };
        export const webhook: components["schemas"]["CreateWebhook"] = { url: "https://example.com/newarbots" };
        export const reasonOf = (bot: components["schemas"]["Bot"]): string => bot.reason ?? "none";
        export const leave: components["schemas"]["LeaveConditions"] = { everyoneLeftTimeout: 120 };
        """;

    [Fact]
    public async Task Request_with_only_a_meeting_address_compiles_without_flags()
    {
        var folder = Directory.CreateTempSubdirectory("newarbots-client-").FullName;
        try
        {
            await File.WriteAllTextAsync(
                Path.Combine(folder, "openapi.json"), (await queueing.Manager.GetAsync("/openapi/v1.json")).Body!.ToJsonString(), TestContext.Current.CancellationToken);
            await File.WriteAllTextAsync(Path.Combine(folder, "program.ts"), Program, TestContext.Current.CancellationToken);

            await RunAsync(folder, "npm", "install", "--no-audit", "--no-fund", "openapi-typescript@7.4.4", "typescript@5.7.3");
            await RunAsync(folder, "npx", "openapi-typescript", "openapi.json", "-o", "api.d.ts");
            await RunAsync(folder, "npx", "tsc", "--strict", "--noEmit", "program.ts");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task RunAsync(string folder, string command, params string[] arguments)
    {
        var result = await CliWrap.Cli.Wrap(command).WithArguments(arguments).WithWorkingDirectory(folder)
            .WithValidation(CliWrap.CommandResultValidation.None)
            .ExecuteBufferedAsync(TestContext.Current.CancellationToken);
        Assert.True(result.ExitCode == 0, $"{command} {string.Join(' ', arguments)} failed: {result.StandardOutput} {result.StandardError}");
    }
}
