using NewarBots.Manager.Hosting;

namespace NewarBots.Manager.Recordings;

/// <summary>Whether a disk is full, found by writing to it: what a program says about it may come from the files that it reads.</summary>
internal static class DiskProbe
{
    private const int Bytes = 64 * 1024;

    /// <param name="folder">A folder that this process can write to.</param>
    /// <returns><see langword="true"/> if a file of 64 KiB does not fit.</returns>
    public static bool IsFull(string folder)
    {
        try
        {
            // CreateNew does not follow a link that the program may have left.
            using var file = new FileStream(
                Path.Combine(folder, $".probe-{Path.GetRandomFileName()}"), FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0, FileOptions.DeleteOnClose);
            file.Write(new byte[Bytes]);
            file.Flush(flushToDisk: true);
            return false;
        }
        catch (IOException exception)
        {
            return exception.IsStorageFull();
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
    }
}
