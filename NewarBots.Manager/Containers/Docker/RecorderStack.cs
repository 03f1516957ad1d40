using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;
using NewarBots.Contract;

namespace NewarBots.Manager.Containers.Docker;

/// <summary>
/// The name of this installation on its engine. Managers that share a storage folder are one stack, on whatever machine they run, so the
/// default name is derived from the folder's path on the host.
/// </summary>
internal sealed class RecorderStack(IOptions<LaunchingOptions> options, StorageLayout storage, HostPaths hostPaths)
{
    public async Task<string> NameAsync(CancellationToken cancellation) =>
        options.Value.Stack ?? NameFor(await hostPaths.ResolveAsync(storage.Root, cancellation));

    /// <returns>12 hexadecimal digits.</returns>
    internal static string NameFor(string storageOnHost) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(storageOnHost)))[..12];
}
