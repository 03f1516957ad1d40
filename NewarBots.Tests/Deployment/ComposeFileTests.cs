using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Deployment;

public sealed class ComposeFileTests
{
    [Theory]
    [InlineData("--maxmemory 1gb")]
    [InlineData("--maxmemory-policy noeviction")]
    [InlineData("--proto-max-bulk-len 1mb")]
    [InlineData("--client-query-buffer-limit 2mb")]
    [InlineData("--maxmemory-clients 64mb")]
    [InlineData("--acllog-max-len 0")]
    public void Redis_of_the_deployment_is_limited(string setting) =>
        Assert.Contains(setting, File.ReadAllText(Repository.PathOf("deploy", "compose.yaml")), StringComparison.Ordinal);
}
