using System.Runtime.InteropServices;

namespace NewarBots.Manager.Containers.Docker;

/// <summary>
/// Who the recorder is, inside its container and to the files it writes. Never root: a manager that is root takes a number
/// that belongs to nobody and gives the session's folder to it; any other takes its own, so that it can read what was written.
/// </summary>
internal sealed partial record ContainerUser(uint Uid, uint Gid)
{
    private const uint Nobody = 10001;

    public static ContainerUser OfRecorders { get; } = IsRoot ? new(Nobody, Nobody) : new(EffectiveUserId(), EffectiveGroupId());

    public static bool IsRoot => EffectiveUserId() == 0;

    /// <summary>As Docker writes it: <c>uid:gid</c>.</summary>
    public override string ToString() => $"{Uid}:{Gid}";

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint EffectiveUserId();

    [LibraryImport("libc", EntryPoint = "getegid")]
    private static partial uint EffectiveGroupId();
}
