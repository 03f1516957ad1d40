using System.Globalization;

namespace NewarBots.Manager.Containers;

/// <summary>The processes of this machine that the manager sees. In a container, these are its own only.</summary>
internal static class HostProcesses
{
    private const string OfUser = "Uid:";

    /// <returns>The ids of all processes by their user.</returns>
    public static ILookup<uint, int> ByUser() =>
        (from folder in Directory.EnumerateDirectories("/proc")
         let id = int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0
         where id > 0
         let user = UserOf(id)
         where user is not null
         select (Id: id, User: user.Value)).ToLookup(process => process.User, process => process.Id);

    /// <summary>The owner of the folder in <c>/proc</c> is root for a process that hides its memory, so the user is read from its status.</summary>
    private static uint? UserOf(int process)
    {
        try
        {
            var line = File.ReadLines($"/proc/{process}/status").FirstOrDefault(line => line.StartsWith(OfUser, StringComparison.Ordinal));
            return line is null ? null : uint.Parse(line.Split('\t')[1], CultureInfo.InvariantCulture);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // It has ended.
            return null;
        }
    }
}
