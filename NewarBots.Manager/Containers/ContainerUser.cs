using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace NewarBots.Manager.Containers;

/// <summary>
/// The user that a recorder runs as, and that owns its files. Never root: a manager that runs as root gives each bot a user id of its own, because
/// the kernel counts many limits per user. Any other manager uses its own, so that it can read the recordings.
/// </summary>
internal sealed partial record ContainerUser(uint Uid, uint Gid)
{
    public static ContainerUser OfManager { get; } = new(EffectiveUserId(), EffectiveGroupId());

    public static bool IsRoot => EffectiveUserId() == 0;

    /// <summary>Makes this user the owner. Does nothing if the manager does not run as root.</summary>
    /// <param name="file">The open file or folder.</param>
    /// <param name="path">Its path, for the message.</param>
    /// <exception cref="IOException">The owner cannot be changed.</exception>
    public void Own(SafeFileHandle file, string path)
    {
        if (IsRoot && LinuxFiles.ChangeOwner(file, Uid, Gid) != 0)
            throw new IOException($"{path} cannot be given to {this}: {Marshal.GetPInvokeErrorMessage(LinuxFiles.LastError)}.");
    }

    /// <summary>Makes the manager the owner of an open file or folder.</summary>
    /// <param name="file">The open file or folder.</param>
    /// <param name="group">Its group.</param>
    public static void TakeBack(SafeHandle file, uint group)
    {
        if (IsRoot)
            _ = LinuxFiles.ChangeOwner(file, EffectiveUserId(), group);
    }

    /// <summary><c>uid:gid</c>.</summary>
    public override string ToString() => $"{Uid}:{Gid}";

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint EffectiveUserId();

    [LibraryImport("libc", EntryPoint = "getegid")]
    private static partial uint EffectiveGroupId();
}
