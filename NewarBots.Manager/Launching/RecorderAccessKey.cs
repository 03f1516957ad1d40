using System.Security.Cryptography;
using NewarBots.Contract;
using NewarBots.Manager.Hosting;

namespace NewarBots.Manager.Launching;

/// <summary>
/// What the passwords of the bots are made from: 32 random bytes in <c>.recorder-access-key</c> of the storage folder, for the
/// managers alone to read. Made by the first manager that needs it; no bot ever sees that folder.
/// </summary>
internal sealed class RecorderAccessKey(StorageLayout storage)
{
    private const int Length = 32;

    // A failure is not kept: the next bot tries again.
    private readonly Lazy<byte[]> _bytes = new(
        () => ReadOrMake(Path.Combine(storage.Root, ".recorder-access-key")), LazyThreadSafetyMode.PublicationOnly);

    public ReadOnlySpan<byte> Bytes => _bytes.Value;

    private static byte[] ReadOrMake(string path)
    {
        if (!File.Exists(path))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            PrivateFile.WriteOnce(path, file => file.Write(RandomNumberGenerator.GetBytes(Length)));
        }

        var bytes = File.ReadAllBytes(path);
        return bytes.Length == Length
            ? bytes
            : throw new InvalidDataException($"{path} does not hold {Length} bytes. Remove it: a new one is made.");
    }
}
