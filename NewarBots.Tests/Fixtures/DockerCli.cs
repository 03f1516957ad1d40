using System.Net.NetworkInformation;
using System.Net.Sockets;
using CliWrap;
using CliWrap.Buffered;

namespace NewarBots.Tests.Fixtures;

/// <summary>Accesses the Docker engine with Docker's command line, independently of the product.</summary>
internal static class DockerCli
{
    /// <summary>Runs <c>docker</c> and returns its trimmed output.</summary>
    public static async Task<string> RunAsync(params IReadOnlyList<string> arguments) =>
        (await Cli.Wrap("docker").WithArguments(arguments).ExecuteBufferedAsync()).StandardOutput.Trim();

    /// <summary>Names of all containers of a stack, in any state.</summary>
    public static async Task<IReadOnlyList<string>> ContainersOfAsync(string stack) =>
        (await RunAsync("ps", "--all", "--filter", $"label=newarbots.stack={stack}", "--format", "{{.Names}}"))
        .Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Kills every process in the container whose command line contains the text. Detached, because that may end the container and this shell.</summary>
    public static Task KillInsideAsync(string container, string commandLine) => RunAsync(
        "exec", "--detach", container, "sh", "-c",
        $"for process in /proc/[0-9]*; do if [ $process != /proc/$$ ] && grep -qa -- '{commandLine}' $process/cmdline; then kill -9 ${{process#/proc/}}; fi; done");

    /// <summary>The group whose members can use the engine.</summary>
    public static async Task<string> SocketGroupAsync() =>
        (await Cli.Wrap("stat").WithArguments(["--dereference", "--format", "%g", "/var/run/docker.sock"]).ExecuteBufferedAsync()).StandardOutput.Trim();

    public static async Task RemoveStackAsync(string stack)
    {
        foreach (var name in await ContainersOfAsync(stack))
            await Cli.Wrap("docker").WithArguments(["rm", "--force", name]).WithValidation(CommandResultValidation.None).ExecuteAsync();
    }

    /// <summary>
    /// This host's address on the default bridge, where containers reach it. Read from the network interface, because a newly installed engine
    /// does not report the gateway.
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
