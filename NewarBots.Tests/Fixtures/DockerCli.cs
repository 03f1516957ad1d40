using System.Net.NetworkInformation;
using System.Net.Sockets;
using CliWrap;
using CliWrap.Buffered;

namespace NewarBots.Tests.Fixtures;

/// <summary>The engine seen from outside the product, by Docker's own command line.</summary>
internal static class DockerCli
{
    /// <summary>Runs <c>docker</c> and returns what it printed, trimmed.</summary>
    public static async Task<string> RunAsync(params IReadOnlyList<string> arguments) =>
        (await Cli.Wrap("docker").WithArguments(arguments).ExecuteBufferedAsync()).StandardOutput.Trim();

    /// <summary>All containers of a stack, whatever their state, by name.</summary>
    public static async Task<IReadOnlyList<string>> ContainersOfAsync(string stack) =>
        (await RunAsync("ps", "--all", "--filter", $"label=newarbots.stack={stack}", "--format", "{{.Names}}"))
        .Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Kills every process of the container whose command line has this in it. Where that ends the container, the shell that kills dies too.</summary>
    public static Task KillInsideAsync(string container, string commandLine) => RunAsync(
        "exec", "--detach", container, "sh", "-c",
        $"for process in /proc/[0-9]*; do if [ $process != /proc/$$ ] && grep -qa -- '{commandLine}' $process/cmdline; then kill -9 ${{process#/proc/}}; fi; done");

    public static async Task RemoveStackAsync(string stack)
    {
        foreach (var name in await ContainersOfAsync(stack))
            await Cli.Wrap("docker").WithArguments(["rm", "--force", name]).WithValidation(CommandResultValidation.None).ExecuteAsync();
    }

    /// <summary>
    /// This host's address on the default bridge: what containers reach it by. Asked of the interface, because an engine that was
    /// started for the first time does not tell the gateway.
    /// </summary>
    public static async Task<string> BridgeAddressAsync()
    {
        var bridge = await RunAsync("network", "inspect", "bridge", "--format", """{{index .Options "com.docker.network.bridge.name"}}""");
        return NetworkInterface.GetAllNetworkInterfaces().Single(candidate => candidate.Name == bridge)
            .GetIPProperties().UnicastAddresses
            .First(unicast => unicast.Address.AddressFamily is AddressFamily.InterNetwork)
            .Address.ToString();
    }
}
