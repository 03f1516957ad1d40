using System.Runtime.InteropServices;
using NewarBots.Manager.Containers;

namespace NewarBots.Manager.Recordings;

/// <summary>
/// The user of one run of a confined program. A manager that is root takes an unassigned user id for each run, so that a program that was taken
/// over by a file can neither see nor signal a recorder, another run, or the manager, and cannot leave a process behind. Any other
/// manager has only its own user.
/// </summary>
internal sealed partial class ProcessUser : IDisposable
{
    /// <summary>Nothing runs as this user but the thread that sends signals (<see cref="EndProcesses"/>).</summary>
    private static readonly uint Sender = UserIdRange.OfProcesses.Last;

    private static readonly UserIdRange Programs = UserIdRange.OfProcesses with { Last = Sender - 1 };

    private const int Kill = 9;

    private static readonly Lock Lock = new();
    private static readonly HashSet<uint> Taken = [];

    private ProcessUser(ContainerUser user) => User = user;

    public ContainerUser User { get; }

    /// <exception cref="InvalidOperationException">All user ids are taken.</exception>
    public static ProcessUser Take()
    {
        if (!ContainerUser.IsRoot)
            return new(ContainerUser.OfManager);
        lock (Lock)
        {
            // Another manager on this machine has no access to the set of taken ids. A random start makes it unlikely that both take the same one at once.
            var taken = HostProcesses.ByUser().Select(user => user.Key).Concat(Taken).ToHashSet();
            var free = Programs.Choose(taken) ?? throw new InvalidOperationException("All user ids for confined programs are taken.");
            Taken.Add(free);
            return new(new(free, free));
        }
    }

    /// <summary>Kills all processes of this user, also those that left their process group. Does nothing if the manager is not root.</summary>
    public void EndProcesses()
    {
        if (!ContainerUser.IsRoot)
            return;
        // The kernel signals all processes of a user at once, so none can fork meanwhile. It takes the user of the calling thread.
        var thread = new Thread(() =>
        {
            if (SetUser(RuntimeInformation.ProcessArchitecture is Architecture.Arm64 ? 147 : 117, (nint)Sender, (nint)User.Uid, (nint)Sender) == 0 && !HasCapabilities())
                _ = Signal(-1, Kill);
        });
        thread.Start();
        thread.Join();
    }

    public void Dispose()
    {
        EndProcesses();
        lock (Lock)
            Taken.Remove(User.Uid);
    }

    /// <summary>With a capability, the signal would reach all processes.</summary>
    private static bool HasCapabilities()
    {
        try
        {
            return !File.ReadLines("/proc/thread-self/status").Contains("CapEff:\t0000000000000000");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return true;
        }
    }

    /// <summary>setresuid as a system call changes the calling thread only.</summary>
    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial nint SetUser(nint number, nint real, nint effective, nint saved);

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Signal(int process, int signal);
}
