using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Hosting;

namespace NewarBots.Manager.Recordings;

/// <summary>A program to run on files that a recorder wrote.</summary>
/// <param name="Arguments">The program and its arguments.</param>
/// <param name="Limits">Enforced by the kernel.</param>
internal sealed record ConfinedCommand(IReadOnlyList<string> Arguments, ProcessLimits Limits)
{
    /// <summary>Descriptor under which the program finds <see cref="Folder"/>.</summary>
    public const string FolderPath = "/proc/self/fd/3/.";

    /// <summary>Must belong to <see cref="User"/> if the program writes files.</summary>
    public string WorkingFolder { get; init; } = "/";

    /// <summary>Standard input: a file that the manager opens, so that the program need not be able to reach it.</summary>
    public string Input { get; init; } = "/dev/null";

    /// <summary>Standard input instead of <see cref="Input"/>: this text, and then nothing until the manager ends the pipe or dies.</summary>
    public string? Request { get; init; }

    /// <summary>A folder that the manager opens, and that the program finds as <see cref="FolderPath"/>.</summary>
    public string? Folder { get; init; }

    /// <summary>Reads standard output. It is dropped otherwise.</summary>
    public Func<Stream, CancellationToken, Task>? Output { get; init; }

    /// <summary>Added to the few environment variables that a program gets.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>Needed if the program reads or writes files. Otherwise, each run takes one.</summary>
    public ProcessUser? User { get; init; }

    /// <summary>The program's own files may lie where only root can read, for example in /root.</summary>
    public bool MayReadAllFiles { get; init; }

    public override string ToString() => string.Join(' ', Arguments.Select(argument => argument.Contains(' ', StringComparison.Ordinal) ? $"'{argument}'" : argument));
}

/// <param name="ExitCode">128 plus the signal's number if a signal ended it.</param>
/// <param name="TimedOut">It was killed after <see cref="ProcessLimits.Timeout"/>.</param>
/// <param name="Errors">The last lines of standard error.</param>
internal sealed record ProcessEnd(int ExitCode, bool TimedOut, string Errors);

/// <summary>
/// Runs programs with limits, without privileges and in a process group of their own, which is killed whole: at the program's end, after its
/// timeout, or if it is cancelled. A manager that runs as root runs each under a user id of its own (<see cref="ProcessUser"/>), and kills all
/// processes of that user as well. <c>timeout</c> ends the group if the manager is killed.
/// </summary>
/// <param name="time">Measures timeouts.</param>
/// <param name="outer">Limits of this process, if it is confined itself. Its children stay in its process group.</param>
internal sealed partial class ConfinedProcess(TimeProvider time, ProcessLimits? outer = null)
{
    private const int Kill = 9;

    /// <summary>Error number of Linux: the limit of processes is reached.</summary>
    private const int NoProcesses = 11;

    /// <summary>The manager's own timeout comes first.</summary>
    private static readonly TimeSpan TimeoutReserve = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan ReadingReserve = TimeSpan.FromSeconds(2);

    /// <summary>Until the output of a program that has exited must have been read.</summary>
    private static readonly TimeSpan LeftoverTimeout = TimeSpan.FromSeconds(30);

    /// <summary>Processes and threads of one user. .NET and FFmpeg start some for each processor.</summary>
    private static readonly int MaxThreads = 256 + 16 * Environment.ProcessorCount;

    /// <summary>Secrets in the manager's environment stay there.</summary>
    private static readonly string[] Inherited = ["PATH", "LANG", "LD_LIBRARY_PATH", "DOTNET_ROOT"];

    /// <exception cref="HostExhaustedException">The machine has no processes, memory or open files left.</exception>
    /// <exception cref="Win32Exception">The shell cannot be started.</exception>
    /// <exception cref="FinalizationBudgetException">This process is confined itself, and has used up <see cref="ProcessLimits.TotalCpu"/>.</exception>
    public async Task<ProcessEnd> RunAsync(ConfinedCommand command, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        if (outer is not null && CpuTime.OfThisProcess() is var used && used > outer.TotalCpu)
            throw new FinalizationBudgetException("CPU time", $"All processes together took {used.TotalSeconds:0} s of CPU time.");
        using var own = outer is null && command.User is null ? ProcessUser.Take() : null;
        var user = command.User ?? own;
        using var process = new Process { StartInfo = StartInfo(command, user) };
        var running = new Running(process, user, hasGroup: outer is null);
        using var expiry = new CancellationTokenSource(command.Limits.Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, expiry.Token);
        Start(process);
        var errors = new LastOutput(process.StandardError.BaseStream);
        try
        {
            await Task.WhenAll(
                WriteAsync(process, command, either.Token),
                ReadAsync(running, command, either.Token),
                EndAsync(running, expiry, either.Token));
            return new(process.ExitCode, TimedOut: false, await errors.ReadAsync(process, time));
        }
        catch (OperationCanceledException) when (expiry.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            running.End();
            return new(128 + Kill, TimedOut: true, await errors.ReadAsync(process, time));
        }
        finally
        {
            running.End();
            Close(process);
        }
    }

    private static void Start(Process process)
    {
        try
        {
            process.Start();
        }
        catch (Win32Exception exception)
        {
            if (ExplainStart(exception) is { } exhausted)
                throw exhausted;
            throw;
        }
    }

    /// <returns><see langword="null"/> if the program is at fault, for example because it is missing.</returns>
    internal static HostExhaustedException? ExplainStart(Win32Exception exception) =>
        exception.NativeErrorCode == NoProcesses || Failures.IsOfHost(exception.NativeErrorCode)
            ? new($"No process can be started: {exception.Message}", exception)
            : null;

    /// <summary>Ends what the program left running: it could hold the output open.</summary>
    private static async Task EndAsync(Running running, CancellationTokenSource expiry, CancellationToken cancellation)
    {
        await running.Process.WaitForExitAsync(cancellation);
        running.End();
        // A manager that is not root may be unable to end a process that left the group.
        expiry.CancelAfter(LeftoverTimeout);
    }

    /// <summary>Disposing the process leaves the streams open that were used. Another process may still hold the other end.</summary>
    private static void Close(Process process)
    {
        process.StandardOutput.Dispose();
        process.StandardError.Dispose();
        try
        {
            process.StandardInput.Dispose();
        }
        catch (IOException)
        {
            // The process has exited and cannot read the rest.
        }
    }

    private ProcessStartInfo StartInfo(ConfinedCommand command, ProcessUser? user)
    {
        var start = new ProcessStartInfo("/bin/sh", CommandLine(command, user))
        {
            WorkingDirectory = command.WorkingFolder,
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var environment = Inherited.Select(name => (name, Environment.GetEnvironmentVariable(name))).Where(variable => variable.Item2 is not null).ToList();
        start.Environment.Clear();
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        // Each further arena reserves 64 MiB of address space.
        start.Environment["MALLOC_ARENA_MAX"] = "2";
        foreach (var (name, value) in command.Environment)
            start.Environment[name] = value;
        return start;
    }

    private IEnumerable<string> CommandLine(ConfinedCommand command, ProcessUser? user)
    {
        // The shell opens files while it still has the manager's rights, and then becomes the program.
        string[] shell = ["-c", """[ -z "$1" ] || exec <"$1"; [ -z "$2" ] || exec 3<"$2"; shift 2; exec "$@" """, "sh", command.Request is null ? command.Input : "", command.Folder ?? ""];
        var seconds = (command.Limits.Timeout + TimeoutReserve).TotalSeconds.ToString("0", CultureInfo.InvariantCulture);
        string[] group = outer is null ? ["timeout", "--signal=KILL", seconds] : [];
        return [.. shell, .. group, .. command.Limits.Within(outer ?? ProcessLimits.OfThisProcess).Command(), .. Privileges(command, user), .. command.Arguments];
    }

    private static IEnumerable<string> Privileges(ConfinedCommand command, ProcessUser? user)
    {
        var capability = command.MayReadAllFiles && ContainerUser.IsRoot ? ",+dac_read_search" : "";
        // The limit counts all processes of the user, so only a run with a user of its own gets one.
        string[] limit = user is not null && ContainerUser.IsRoot ? ["prlimit", $"--nproc={MaxThreads}"] : [];
        return
        [
            .. limit, "setpriv", "--no-new-privs", $"--inh-caps=-all{capability}", $"--ambient-caps=-all{capability}",
            .. user is not null && ContainerUser.IsRoot ? (string[])[$"--reuid={user.User.Uid}", $"--regid={user.User.Gid}", "--clear-groups"] : [],
        ];
    }

    private static async Task WriteAsync(Process process, ConfinedCommand command, CancellationToken cancellation)
    {
        if (command.Request is null)
            return;
        try
        {
            await process.StandardInput.WriteLineAsync(command.Request.AsMemory(), cancellation);
            await process.StandardInput.FlushAsync(cancellation);
        }
        catch (IOException)
        {
            // It has exited. Its exit code tells more.
        }
    }

    private static async Task ReadAsync(Running running, ConfinedCommand command, CancellationToken cancellation)
    {
        try
        {
            var output = running.Process.StandardOutput.BaseStream;
            await (command.Output is null ? output.CopyToAsync(Stream.Null, cancellation) : command.Output(output, cancellation));
        }
        catch
        {
            // Nobody reads any more, so it could wait for ever.
            running.End();
            throw;
        }
    }

    /// <summary>A process that was started, with all that it starts.</summary>
    private sealed partial class Running(Process process, ProcessUser? user, bool hasGroup)
    {
        private bool _isEnded;

        public Process Process => process;

        /// <summary>Kills the process, its group and its user's other processes. Once: later, the group's id may be that of another group.</summary>
        public void End()
        {
            if (Interlocked.Exchange(ref _isEnded, value: true))
                return;
            if (hasGroup)
                _ = SendSignal(-process.Id, Kill);
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
            user?.EndProcesses();
        }

        [LibraryImport("libc", EntryPoint = "kill")]
        private static partial int SendSignal(int process, int signal);
    }

    /// <summary>Keeps the end of a program's standard error.</summary>
    private sealed class LastOutput
    {
        private const int Kept = 4096;
        private const int KeptLines = 10;
        private readonly byte[] _bytes = new byte[2 * Kept];
        private readonly Task _reading;
        private int _length;

        public LastOutput(Stream stream) => _reading = FillAsync(stream);

        /// <param name="ended">The process, which has ended. Another process may still hold its standard error.</param>
        /// <param name="time">Measures how long to wait.</param>
        public async Task<string> ReadAsync(Process ended, TimeProvider time)
        {
            await Task.WhenAny(_reading, Task.Delay(ReadingReserve, time));
            ended.StandardError.Close();
            string text;
            lock (_bytes)
                text = Encoding.UTF8.GetString(_bytes, 0, _length);
            var lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            return lines.Length == 0 ? "(no output)" : string.Join('\n', lines.TakeLast(KeptLines));
        }

        private async Task FillAsync(Stream stream)
        {
            var buffer = new byte[Kept];
            try
            {
                while (await stream.ReadAsync(buffer) is > 0 and var read)
                    Keep(buffer.AsSpan(0, read));
            }
            catch (Exception exception) when (exception is IOException or ObjectDisposedException or OperationCanceledException)
            {
                // Closed after the process.
            }
        }

        private void Keep(ReadOnlySpan<byte> read)
        {
            lock (_bytes)
            {
                var surplus = Math.Max(0, _length + read.Length - _bytes.Length);
                _bytes.AsSpan(surplus, _length - surplus).CopyTo(_bytes);
                read.CopyTo(_bytes.AsSpan(_length - surplus));
                _length += read.Length - surplus;
            }
        }
    }
}
