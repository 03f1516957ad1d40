using System.Security.Cryptography;
using NewarBots.Contract;

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
            Make(path);
        var bytes = File.ReadAllBytes(path);
        return bytes.Length == Length
            ? bytes
            : throw new InvalidDataException($"{path} does not hold {Length} bytes. Remove it: a new one is made.");
    }

    private static void Make(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var beside = $"{path}.{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8))}";
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (var file = new FileStream(beside, options))
        {
            file.Write(RandomNumberGenerator.GetBytes(Length));
            file.Flush(flushToDisk: true);
        }
        try
        {
            File.Move(beside, path, overwrite: false);
        }
        catch (IOException) when (File.Exists(path))
        {
            // Another manager was quicker: its key holds.
            File.Delete(beside);
        }
    }
}
