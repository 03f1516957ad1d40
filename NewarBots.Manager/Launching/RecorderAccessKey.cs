using System.Runtime.InteropServices;
using System.Security.Cryptography;
using NewarBots.Contract;

namespace NewarBots.Manager.Launching;

/// <summary>
/// What the passwords of the bots are made from: 32 random bytes in <c>.recorder-access-key</c> of the storage folder, for the
/// managers alone to read. Made by the first manager that needs it; no bot ever sees that folder.
/// </summary>
internal sealed partial class RecorderAccessKey(StorageLayout storage)
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
        // File.Move looks first and renames then, so that of two managers the later one would win after the first has read its
        // own. A link is made by one of them alone; where another was quicker, its key holds.
        if (Link(beside, path) != 0 && !File.Exists(path))
            throw new IOException($"{path} cannot be made: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}.");
        File.Delete(beside);
    }

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Link(string existing, string name);
}
