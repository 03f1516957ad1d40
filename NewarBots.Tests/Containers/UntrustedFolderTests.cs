using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using CliWrap;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Recordings;

namespace NewarBots.Tests.Containers;

/// <summary>Everything that a compromised recorder may put into its folder, while the manager reads and removes it.</summary>
[UnsupportedOSPlatform("windows")]
public sealed partial class UntrustedFolderTests : IDisposable
{
    private const string Secret = "a file of the host";

    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("newarbots-untrusted-");

    public UntrustedFolderTests()
    {
        Directory.CreateDirectory(Session);
        File.WriteAllText(SecretFile, Secret);
    }

    private string Session => Path.Combine(_root.FullName, "session");

    private string SecretFile => Path.Combine(_root.FullName, "secret");

    public void Dispose()
    {
        using var root = UntrustedFolder.Open(_root.FullName, out _);
        root?.Empty(RemovalBudget.Until(CancellationToken.None));
        _root.Delete();
    }

    [Theory]
    [InlineData("missing", nameof(FileProblem.Missing))]
    [InlineData("link", nameof(FileProblem.SymbolicLink))]
    [InlineData("dangling", nameof(FileProblem.SymbolicLink))]
    [InlineData("pipe", nameof(FileProblem.NotAFile))]
    [InlineData("socket", nameof(FileProblem.NotAFile))]
    [InlineData("device", nameof(FileProblem.NotAFile))]
    [InlineData("folder", nameof(FileProblem.NotAFile))]
    public async Task Only_a_regular_file_is_opened_and_nothing_is_waited_for(string what, string expected)
    {
        await PutAsync(what, Path.Combine(Session, "journal.jsonl"));
        using var folder = Open();

        Assert.Null(folder.OpenFile("journal.jsonl", out var problem));
        Assert.Equal(expected, problem.ToString());
    }

    [Theory]
    [InlineData("missing", nameof(FileProblem.Missing))]
    [InlineData("file", nameof(FileProblem.NotAFolder))]
    [InlineData("linkToFolder", nameof(FileProblem.SymbolicLink))]
    [InlineData("pipe", nameof(FileProblem.NotAFolder))]
    [InlineData("socket", nameof(FileProblem.NotAFolder))]
    [InlineData("device", nameof(FileProblem.NotAFolder))]
    public async Task Only_a_folder_is_opened_as_a_folder(string what, string expected)
    {
        await PutAsync(what, Path.Combine(Session, "track_1"));
        using var folder = Open();

        Assert.Null(folder.OpenFolder("track_1", out var problem));
        Assert.Equal(expected, problem.ToString());
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(12)]
    [InlineData(24)]
    [InlineData(107)]
    [InlineData(116)]
    public void An_error_of_the_disk_or_the_system_is_no_finding_about_an_entry(int error) =>
        Assert.Equal(error, Assert.Throws<IOException>(() => UntrustedFolder.Errors.ProblemOf(error)).HResult);

    [Fact]
    public void A_file_that_a_lease_keeps_others_from_opening_is_a_finding() =>
        Assert.Equal(FileProblem.AccessDenied, UntrustedFolder.Errors.ProblemOf(11));

    [Fact]
    public void A_folder_that_cannot_be_searched_is_an_error_and_not_empty()
    {
        if (Environment.IsPrivilegedProcess)
            Assert.Skip("Root can search every folder.");
        File.WriteAllText(Path.Combine(Session, "chunk_00000.ogg"), "audio");
        using var folder = Open();
        File.SetUnixFileMode(Session, UnixFileMode.UserRead);

        Assert.Throws<IOException>(() => folder.Find("chunk_00000.ogg"));
        Assert.Throws<IOException>(() => folder.List(out _));
        File.SetUnixFileMode(Session, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    [Fact]
    public void A_folder_that_was_removed_while_it_was_open_is_empty()
    {
        using var folder = Open();
        Directory.Delete(Session);

        Assert.Empty(folder.ListNames(out _));
        Assert.Null(folder.Find("chunk_00000.ogg"));
    }

    [Fact]
    public void A_name_that_is_too_long_is_a_finding_and_a_path_is_refused()
    {
        using var folder = Open();

        Assert.Null(folder.OpenFile(new string('a', 300), out var problem));

        Assert.Equal(FileProblem.NameTooLong, problem);
        Assert.Throws<ArgumentException>(() => folder.OpenFile("../secret", out _));
        Assert.Throws<ArgumentException>(() => folder.Remove("a/b", RemovalBudget.Small()));
    }

    [Fact]
    public void A_file_is_read_in_turns_while_it_grows_and_a_replaced_file_has_another_inode()
    {
        var path = Path.Combine(Session, "journal.jsonl");
        File.WriteAllText(path, "one\n");
        using var folder = Open();
        using var file = folder.OpenFile("journal.jsonl", out _)!;
        var turn = new byte[3];

        Assert.Equal(3, file.Read(turn, 0));
        Assert.Equal("one"u8.ToArray(), turn);
        File.AppendAllText(path, "two\n");

        Assert.Equal(8, file.Length);
        Assert.Equal(3, file.Read(turn, 4));
        Assert.Equal("two"u8.ToArray(), turn);
        Assert.Equal(0, file.Read(turn, 1000));
        using var beginning = new StreamReader(file.OpenStream(maxBytes: 5));
        Assert.Equal("one\nt", beginning.ReadToEnd());

        File.Move(path, path + ".old");
        File.WriteAllText(path, "forged\n");
        using var other = folder.OpenFile("journal.jsonl", out _)!;
        Assert.NotEqual(file.Inode, other.Inode);
    }

    [Fact]
    public void A_listing_is_bounded_and_says_so()
    {
        CreateFiles(Session, UntrustedFolder.MaxEntries);
        using var folder = Open();
        Assert.Equal(UntrustedFolder.MaxEntries, folder.List(out var isComplete).Count);
        Assert.True(isComplete);

        File.WriteAllText(Path.Combine(Session, "one more"), "");

        Assert.InRange(folder.List(out isComplete).Count, UntrustedFolder.MaxEntries, UntrustedFolder.MaxEntries + 1);
        Assert.False(isComplete);
        folder.ListNames(out isComplete);
        Assert.False(isComplete);
    }

    [Fact]
    public void A_file_that_is_swapped_with_a_link_is_never_read_through_the_link()
    {
        var chunk = Path.Combine(Session, "chunk_00000.ogg");
        var isOver = false;
        var swapping = new Thread(() =>
        {
            while (!Volatile.Read(ref isOver))
            {
                File.WriteAllText(chunk + ".new", "audio");
                File.Move(chunk + ".new", chunk, overwrite: true);
                File.CreateSymbolicLink(chunk + ".new", SecretFile);
                File.Move(chunk + ".new", chunk, overwrite: true);
            }
        });
        swapping.Start();
        using var folder = Open();
        var (read, refused) = (0, 0);
        for (var attempt = 0; attempt < 5_000 || read == 0 || refused == 0; attempt++)
        {
            using var file = folder.OpenFile("chunk_00000.ogg", out var problem);
            if (file is null)
            {
                Assert.True(problem is FileProblem.SymbolicLink or FileProblem.Missing, $"{problem}");
                refused++;
                continue;
            }

            using var content = new StreamReader(file.OpenStream(100));
            Assert.NotEqual(Secret, content.ReadToEnd());
            read++;
        }

        Volatile.Write(ref isOver, true);
        swapping.Join();
    }

    [Fact]
    public void A_file_that_is_moved_out_belongs_to_the_manager_and_is_closed_to_others()
    {
        var chunk = Path.Combine(Session, "chunk_00000.ogg");
        File.WriteAllText(chunk, "audio");
        File.SetUnixFileMode(chunk, (UnixFileMode)0xfff);
        var target = Path.Combine(_root.FullName, "damaged");
        Directory.CreateDirectory(target);
        using var folder = Open();

        Assert.True(folder.MoveFile("chunk_00000.ogg", Path.Combine(target, "kept")));

        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead, File.GetUnixFileMode(Path.Combine(target, "kept")));
        using var kept = UntrustedFolder.OpenTrusted(target, out _);
        Assert.Equal(kept!.OwnerOf("."), kept.OwnerOf("kept"));
    }

    [Fact]
    public async Task A_file_with_another_name_is_deleted_instead_of_moved_out()
    {
        var chunk = Path.Combine(Session, "chunk_00000.ogg");
        File.WriteAllText(chunk, "audio");
        await Cli.Wrap("ln").WithArguments([chunk, Path.Combine(Session, "other")]).ExecuteAsync(TestContext.Current.CancellationToken);
        var target = Path.Combine(_root.FullName, "damaged");
        Directory.CreateDirectory(target);
        using var folder = Open();

        Assert.False(folder.MoveFile("chunk_00000.ogg", Path.Combine(target, "kept")));

        Assert.Empty(Directory.EnumerateFileSystemEntries(target));
        Assert.False(File.Exists(chunk));
    }

    [Fact]
    public void A_file_that_is_swapped_with_a_link_is_moved_as_a_file_or_not_at_all()
    {
        var target = Path.Combine(_root.FullName, "damaged");
        Directory.CreateDirectory(target);
        using var folder = Open();
        for (var attempt = 0; attempt < 200; attempt++)
        {
            var chunk = Path.Combine(Session, "chunk_00000.ogg");
            File.WriteAllText(chunk, "audio");
            File.CreateSymbolicLink(chunk + ".new", SecretFile);
            var swapping = new Thread(() => File.Move(chunk + ".new", chunk, overwrite: true));
            swapping.Start();

            var moved = folder.MoveFile("chunk_00000.ogg", Path.Combine(target, "kept"));

            swapping.Join();
            Assert.Equal(moved, File.Exists(Path.Combine(target, "kept")));
            Assert.Null(new FileInfo(Path.Combine(target, "kept")).LinkTarget);
            File.Delete(Path.Combine(target, "kept"));
            File.Delete(chunk);
        }

        Assert.Equal(Secret, File.ReadAllText(SecretFile));
    }

    [Fact]
    public void Fifty_thousand_files_are_removed() => RemoveMany(50_000);

    [Fact]
    [Trait("Suite", "Long")]
    public void A_million_files_are_removed() => RemoveMany(1_000_000);

    [Fact]
    public void Folders_nested_3000_deep_are_removed_and_what_links_lead_to_stays()
    {
        MakeNested(Session, 3000);
        File.CreateSymbolicLink(Path.Combine(Session, "link"), SecretFile);
        Directory.CreateSymbolicLink(Path.Combine(Session, "n", "n", "link"), _root.FullName);
        using var folder = Open();

        Assert.True(folder.Empty(RemovalBudget.Until(TestContext.Current.CancellationToken)));

        Assert.Empty(Directory.EnumerateFileSystemEntries(Session));
        Assert.Equal(Secret, File.ReadAllText(SecretFile));
    }

    [Fact]
    public void A_removal_stops_at_its_budget_and_can_be_continued()
    {
        CreateFiles(Session, 1000);
        using var folder = Open();

        Assert.False(folder.Empty(new(entries: 100, TimeSpan.FromMinutes(1))));

        Assert.InRange(Directory.EnumerateFileSystemEntries(Session).Count(), 900, 901);
        Assert.True(folder.Empty(RemovalBudget.Small()));
        Assert.Empty(Directory.EnumerateFileSystemEntries(Session));
    }

    [Fact]
    public void A_name_that_is_no_valid_text_is_listed_and_removed()
    {
        Assert.Equal(0, MakeFolder([.. Encoding(Session), (byte)'/', 0xff, 0xfe, 0], 0x1ff));
        using var folder = Open();

        Assert.Single(folder.List(out _));
        Assert.True(folder.Empty(RemovalBudget.Small()));
        Assert.Empty(folder.List(out _));

        static byte[] Encoding(string text) => System.Text.Encoding.UTF8.GetBytes(text);
    }

    [Fact]
    public void A_manager_that_is_not_root_restores_permissions_that_the_recorder_took_away()
    {
        File.WriteAllText(Path.Combine(Session, "chunk_00000.ogg"), "audio");
        MakeNested(Path.Combine(Session), 2);
        File.WriteAllText(Path.Combine(Session, "n", "junk"), "");
        AsOtherUser(() =>
        {
            foreach (var entry in Directory.EnumerateFileSystemEntries(Session).Append(Session))
                File.SetUnixFileMode(entry, UnixFileMode.None);
            using var root = UntrustedFolder.Open(_root.FullName, out _)!;
            using var folder = root.OpenFolder("session", out _);
            using var file = folder?.OpenFile("chunk_00000.ogg", out _);

            Assert.Equal(5, file?.Length);
            Assert.True(folder!.Empty(RemovalBudget.Small()));
        });
    }

    [Theory]
    [InlineData("folder", nameof(FileProblem.NotAFile), nameof(FileProblem.None))]
    [InlineData("pipe", nameof(FileProblem.NotAFile), nameof(FileProblem.NotAFolder))]
    [InlineData("file", nameof(FileProblem.None), nameof(FileProblem.NotAFolder))]
    public async Task An_entry_of_another_kind_without_permissions_is_a_finding(string what, string asFile, string asFolder)
    {
        await PutAsync(what, Path.Combine(Session, "entry"));
        AsOtherUser(() =>
        {
            File.SetUnixFileMode(Path.Combine(Session, "entry"), UnixFileMode.None);
            using var folder = Open();
            folder.OpenFile("entry", out var ofFile)?.Dispose();
            File.SetUnixFileMode(Path.Combine(Session, "entry"), UnixFileMode.None);
            folder.OpenFolder("entry", out var ofFolder)?.Dispose();

            Assert.Equal((asFile, asFolder), (ofFile.ToString(), ofFolder.ToString()));
        });
    }

    [Fact]
    public void A_folder_nested_3000_deep_is_deleted_by_its_path()
    {
        MakeNested(Session, 3000);

        UntrustedFolder.Delete(Session);
        UntrustedFolder.Delete(Session);

        Assert.False(Directory.Exists(Session));
        Assert.True(File.Exists(SecretFile));
    }

    [Fact]
    public void A_file_of_another_owner_that_cannot_be_read_is_a_finding()
    {
        File.WriteAllText(Path.Combine(Session, "chunk_00000.ogg"), "audio");
        AsOtherUser(() => { });
        Assert.Equal(0, ChangeOwner(Path.Combine(Session, "chunk_00000.ogg"), 0, 0));
        File.SetUnixFileMode(Path.Combine(Session, "chunk_00000.ogg"), UnixFileMode.None);
        AsOtherUser(() =>
        {
            using var folder = Open();

            Assert.Null(folder.OpenFile("chunk_00000.ogg", out var problem));
            Assert.Equal(FileProblem.AccessDenied, problem);
        }, giveFiles: false);
    }

    [Fact]
    public void Permissions_of_folders_in_which_no_recorder_writes_stay_as_they_are()
    {
        const UnixFileMode readOnly = UnixFileMode.UserRead | UnixFileMode.UserExecute;
        var outside = Directory.CreateDirectory(Path.Combine(_root.FullName, "outside")).FullName;
        Directory.CreateDirectory(Path.Combine(outside, "work"));
        File.SetUnixFileMode(outside, readOnly);

        UntrustedFolder.OpenTrusted(outside, out _)?.Dispose();
        UntrustedFolder.CreateTrusted(outside).Dispose();
        if (ContainerUser.IsRoot)
            UntrustedFolder.Delete(Path.Combine(outside, "work"));

        Assert.Equal(readOnly, File.GetUnixFileMode(outside));
        // In a folder of a recorder they are restored.
        using var folder = UntrustedFolder.Open(outside, out _);
        Assert.Equal(readOnly | UnixFileMode.UserWrite, File.GetUnixFileMode(outside));
    }

    [Theory]
    [InlineData("\u001b[2Jgone", "\uFFFD[2Jgone")]
    [InlineData("two\nlines", "two\uFFFDlines")]
    [InlineData("reordered\u202Egpj", "reordered\uFFFDgpj")]
    [InlineData("\u009b31m", "\uFFFD31m")]
    [InlineData("Grüße 👋", "Grüße 👋")]
    public void Names_are_shown_without_characters_that_a_terminal_obeys(string name, string shown)
    {
        File.WriteAllText(Path.Combine(Session, name), "x");
        Directory.CreateDirectory(Path.Combine(Session, $"folder {name}"));

        using var folder = Open();

        Assert.Equivalent(new[] { shown, $"folder {shown}" }, folder.List(out _).Select(entry => entry.Name), strict: true);
        Assert.Contains(shown, folder.ListNames(out _));
        Assert.Contains(SessionFolder.Open(Session).OtherEntries(), entry => entry.File == shown);
        folder.Empty(RemovalBudget.Small());
        Assert.Empty(Directory.GetFileSystemEntries(Session));
    }

    [Fact]
    public void Space_is_freed_from_the_largest_junk_first_and_what_is_needed_stays()
    {
        foreach (var (name, bytes) in new[] { ("chunk_00000.ogg", 90_000), ("small", 8_000), ("large", 64_000), ("track_1/chunk_00000.ogg", 50_000), ("track_1/larger", 128_000), ("cache/a/b", 256_000) })
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(Session, name))!);
            File.WriteAllBytes(Path.Combine(Session, name), new byte[bytes]);
        }

        using var folder = Open();
        var freed = folder.Free(
            300_000, (path, entry) => path.EndsWith(".ogg", StringComparison.Ordinal) || (path == "track_1" && entry.Kind is EntryKind.Folder), RemovalBudget.Small());

        Assert.InRange(freed, 300_000, 500_000);
        Assert.Equal(
            ["chunk_00000.ogg", "large", "small", "track_1/chunk_00000.ogg"],
            Directory.EnumerateFiles(Session, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(Session, file)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Many_empty_files_do_not_hide_a_large_one()
    {
        CreateFiles(Session, UntrustedFolder.MaxEntries);
        File.WriteAllBytes(Path.Combine(Session, "zzz"), new byte[64_000]);
        using var folder = Open();

        Assert.InRange(folder.Measure(RemovalBudget.OfFolder(), out var isUnusual), 64_000, long.MaxValue);
        Assert.True(isUnusual);
        Assert.InRange(folder.Free(64_000, (_, _) => false, RemovalBudget.OfFolder()), 64_000, long.MaxValue);

        Assert.False(File.Exists(Path.Combine(Session, "zzz")));
    }

    [Fact]
    public void More_entries_than_the_budget_in_several_folders_are_unusual()
    {
        foreach (var name in new[] { "track_1", "track_2" })
            CreateFiles(Directory.CreateDirectory(Path.Combine(Session, name)).FullName, 60);
        using var folder = Open();

        folder.Measure(new(100, TimeSpan.FromMinutes(1)), out var isOver);
        folder.Measure(new(200, TimeSpan.FromMinutes(1)), out var isOverWithMore);

        Assert.Equal((true, false), (isOver, isOverWithMore));
    }

    [Fact]
    public void A_folder_that_cannot_be_measured_in_time_is_late_and_not_unusual()
    {
        CreateFiles(Session, 60);
        using var folder = Open();
        var (late, inTime) = (new RemovalBudget(100, TimeSpan.Zero), new RemovalBudget(100, TimeSpan.FromMinutes(1)));

        folder.Measure(late, out var isUnusual);
        folder.Measure(inTime, out _);

        Assert.Equal((true, false, false), (late.IsLate, isUnusual, inTime.IsLate));
    }

    private UntrustedFolder Open() => UntrustedFolder.Open(Session, out _) ?? throw new InvalidOperationException();

    private void RemoveMany(int count)
    {
        CreateFiles(Session, count);
        using var folder = Open();

        Assert.True(folder.Empty(RemovalBudget.Until(TestContext.Current.CancellationToken)));

        Assert.Empty(Directory.EnumerateFileSystemEntries(Session));
    }

    private async Task PutAsync(string what, string path)
    {
        switch (what)
        {
            case "file":
                await File.WriteAllTextAsync(path, "content");
                break;
            case "folder":
                Directory.CreateDirectory(path);
                break;
            case "link":
                File.CreateSymbolicLink(path, SecretFile);
                break;
            case "dangling":
                File.CreateSymbolicLink(path, Path.Combine(_root.FullName, "nothing"));
                break;
            case "linkToFolder":
                Directory.CreateSymbolicLink(path, _root.FullName);
                break;
            case "pipe":
                await Cli.Wrap("mkfifo").WithArguments([path]).ExecuteAsync();
                break;
            case "device":
                await Cli.Wrap("mknod").WithArguments([path, "c", "1", "5"]).ExecuteAsync();
                break;
            case "socket":
                using (var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
                    socket.Bind(new UnixDomainSocketEndPoint(path));
                break;
        }

        // Closing a socket does not remove its entry, but .NET does.
        if (what is "socket" && !File.Exists(path))
            await Cli.Wrap("python3").WithArguments(["-c", "import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])", path]).ExecuteAsync();
    }

    private static void CreateFiles(string folder, int count)
    {
        for (var number = 0; number < count; number++)
            File.Create(Path.Combine(folder, $"f{number}")).Dispose();
    }

    /// <summary>Makes folders deeper than a path may be long.</summary>
    private static void MakeNested(string folder, int depth)
    {
        var handle = OpenFolder([.. System.Text.Encoding.UTF8.GetBytes(folder), 0], 0);
        for (var level = 0; level < depth; level++)
        {
            Assert.Equal(0, MakeFolderAt(handle, [(byte)'n', 0], 0x1ff));
            var nested = OpenAt(handle, [(byte)'n', 0], 0);
            Assert.Equal(0, Close(handle));
            handle = nested;
        }

        Assert.Equal(0, Close(handle));
    }

    /// <summary>Runs on a thread that accesses files as a user without privileges, which owns the session.</summary>
    private void AsOtherUser(Action action, bool giveFiles = true)
    {
        const uint nobody = 65534;
        if (giveFiles)
        {
            foreach (var entry in Directory.EnumerateFileSystemEntries(_root.FullName, "*", SearchOption.AllDirectories).Append(_root.FullName))
                Assert.Equal(0, ChangeOwner(entry, nobody, nobody));
        }

        Exception? failure = null;
        var thread = new Thread(() =>
        {
            _ = SetUser(nobody);
            try
            {
                action();
            }
            catch (Exception exception)
            {
                failure = exception;
            }
        });
        thread.Start();
        thread.Join();
        if (failure is not null)
            throw new InvalidOperationException(failure.Message, failure);
    }

    [LibraryImport("libc", EntryPoint = "open")]
    private static partial int OpenFolder(ReadOnlySpan<byte> path, int flags);

    [LibraryImport("libc", EntryPoint = "openat")]
    private static partial int OpenAt(int folder, ReadOnlySpan<byte> name, int flags);

    [LibraryImport("libc", EntryPoint = "mkdirat")]
    private static partial int MakeFolderAt(int folder, ReadOnlySpan<byte> name, uint mode);

    [LibraryImport("libc", EntryPoint = "mkdir")]
    private static partial int MakeFolder(ReadOnlySpan<byte> path, uint mode);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int file);

    [LibraryImport("libc", EntryPoint = "lchown", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChangeOwner(string path, uint owner, uint group);

    [LibraryImport("libc", EntryPoint = "setfsuid")]
    private static partial int SetUser(uint user);
}
