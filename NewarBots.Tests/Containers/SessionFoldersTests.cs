using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.Versioning;
using CliWrap;
using CliWrap.Buffered;
using Microsoft.Extensions.Options;
using NewarBots.Contract;
using NewarBots.Manager.Containers;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Containers;

[UnsupportedOSPlatform("windows")]
public sealed class SessionFoldersTests : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("newarbots-folders-");
    private readonly SessionId _id = SessionId.New(TimeProvider.System);
    private readonly UserId _user = UserId.Parse("anna");

    private StorageLayout Storage => new(_root.FullName);

    private SessionFolders Folders => TestManager.Folders(Storage);

    public void Dispose() => _root.Delete(recursive: true);

    [Fact]
    public async Task A_session_folder_is_accessible_only_to_its_recorder()
    {
        var folder = Folders.Create(_user, _id);

        Assert.Equal(Storage.SessionFolder(_user, _id), folder);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(folder));
        var owner = await Cli.Wrap("stat").WithArguments(["--format", "%u:%g", folder]).ExecuteBufferedAsync();
        Assert.Equal(SessionFolders.OwnerOf(folder).ToString(), owner.StandardOutput.Trim());
        Assert.NotEqual(0u, SessionFolders.OwnerOf(folder).Uid);
    }

    [Fact]
    public void Each_bot_of_a_manager_that_is_root_has_a_user_of_its_own_until_its_folder_is_gone()
    {
        Assert.SkipUnless(ContainerUser.IsRoot, "Needs root.");
        var bots = Enumerable.Range(0, 50).Select(number => (User: UserId.Parse($"user{number % 3}"), Id: SessionId.New(TimeProvider.System))).ToList();
        var folders = new ConcurrentBag<string>();

        Parallel.ForEach(bots, bot => folders.Add(Folders.Create(bot.User, bot.Id)));
        var owners = folders.Select(SessionFolders.OwnerOf).ToList();

        Assert.Equal(50, owners.Distinct().Count());
        Assert.All(owners, owner => Assert.True(owner.Uid is >= 70_000 and <= 89_999 && owner.Gid == owner.Uid, owner.ToString()));
        // An interrupted launch may have created a container.
        Assert.All(bots, bot => Assert.Contains(SessionFolders.OwnerOf(Folders.Create(bot.User, bot.Id)), owners));
        Assert.Equal(50, folders.Select(SessionFolders.OwnerOf).Distinct().Count());
    }

    [Fact]
    public void A_bot_waits_for_a_user_if_all_are_taken_and_gets_the_one_that_becomes_free()
    {
        Assert.SkipUnless(ContainerUser.IsRoot, "Needs root.");
        var folders = new SessionFolders(Storage, Options.Create(new LaunchingOptions { RecorderUserIds = "71001-71002" }));
        var (first, second) = (SessionId.New(TimeProvider.System), SessionId.New(TimeProvider.System));
        var owner = SessionFolders.OwnerOf(folders.Create(_user, first));
        Assert.NotEqual(owner, SessionFolders.OwnerOf(folders.Create(_user, second)));

        Assert.Contains("Launching:RecorderUserIds", Assert.Throws<IOException>(() => folders.Create(_user, _id)).Message, StringComparison.Ordinal);
        Assert.Throws<IOException>(() => SessionFolders.OwnerOf(Storage.SessionFolder(_user, _id)));
        folders.Remove(_user, first);

        Assert.Equal(owner, SessionFolders.OwnerOf(folders.Create(_user, _id)));
    }

    [Fact]
    public async Task A_user_of_a_process_is_not_given_to_a_bot()
    {
        Assert.SkipUnless(ContainerUser.IsRoot, "Needs root.");
        var folders = new SessionFolders(Storage, Options.Create(new LaunchingOptions { RecorderUserIds = "71003-71004" }));
        using var other = Process.Start("setpriv", ["--reuid=71003", "--regid=71003", "--clear-groups", "sleep", "600"]);
        try
        {
            await Eventually.TrueAsync(() => HostProcesses.ByUser()[71003].Contains(other.Id));

            Assert.Equal(new(71004, 71004), SessionFolders.OwnerOf(folders.Create(_user, _id)));
        }
        finally
        {
            other.Kill();
        }
    }

    [Fact]
    public async Task A_claim_that_was_interrupted_is_made_again()
    {
        Assert.SkipUnless(ContainerUser.IsRoot, "Needs root.");
        var folder = Folders.Create(_user, _id);
        await Cli.Wrap("chown").WithArguments(["71005:0", folder]).ExecuteAsync();

        Folders.Create(_user, _id);

        var owner = SessionFolders.OwnerOf(folder);
        Assert.True(owner.Uid is >= 70_000 and <= 89_999 && owner.Gid == owner.Uid, owner.ToString());
    }

    [Fact]
    public void A_record_is_kept_beside_the_folder_where_only_managers_can_read_it()
    {
        var folder = Folders.Create(_user, _id);

        Folders.Remember(_user, _id, "first");
        Folders.Remember(_user, _id, "second");

        var file = new FileInfo(Storage.LaunchedBot(_user, _id));
        Assert.Equal(Path.GetDirectoryName(folder), file.DirectoryName);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, file.UnixFileMode);
        Assert.Equal("second", Folders.Recall(_user, _id)?.Record);
        Assert.Equal([(_user, _id)], Folders.Remembered());
        Assert.Empty(Folders.UnknownEntries());
        Assert.Equal([_id], Folders.List().Select(session => session.Id));

        Folders.Forget(_user, _id);
        Folders.Forget(_user, _id);

        Assert.Null(Folders.Recall(_user, _id));
        Assert.Empty(Folders.Remembered());
    }

    [Fact]
    public void Files_that_a_crash_left_unfinished_are_removed_with_the_finished_ones()
    {
        var folder = Folders.Create(_user, _id);
        var unfinished = new[]
        {
            Path.Combine(folder, $".{SessionInput.Assignment}"),
            Path.Combine(Path.GetDirectoryName(folder)!, $".{_id}.json"),
        };
        foreach (var path in unfinished)
            File.WriteAllText(path, "a part of a secret");
        Assert.Empty(Folders.UnknownEntries());
        Assert.Equal([(_user, _id)], Folders.Remembered());

        Folders.RemoveInputs(_user, _id);
        Folders.Forget(_user, _id);

        Assert.DoesNotContain(unfinished, File.Exists);
        Assert.False(Directory.Exists(folder));
    }

    [Fact]
    public void A_record_that_cannot_be_opened_is_an_error_and_not_a_missing_one()
    {
        Folders.Create(_user, _id);
        File.CreateSymbolicLink(Storage.LaunchedBot(_user, _id), "/etc/passwd");

        Assert.Throws<IOException>(() => Folders.Recall(_user, _id));
    }

    [Fact]
    public async Task Files_of_an_interrupted_launch_are_kept()
    {
        var chunk = Path.Combine(Folders.Create(_user, _id), "chunk_00000.ogg");
        await File.WriteAllTextAsync(chunk, "audio");

        Folders.Create(_user, _id);

        Assert.Equal("audio", await File.ReadAllTextAsync(chunk));
    }

    [Fact]
    public async Task A_folder_is_removed_with_its_contents_and_a_second_removal_does_nothing()
    {
        var folder = Folders.Create(_user, _id);
        await File.WriteAllTextAsync(Path.Combine(folder, "journal.jsonl"), "{}");

        Folders.Remove(_user, _id);
        Folders.Remove(_user, _id);

        Assert.False(Directory.Exists(folder));
    }

    [Theory]
    [InlineData("recordings/temp")]
    [InlineData("recordings/temp/user_anna")]
    [InlineData("recordings/temp/user_anna/ID")]
    public async Task A_symbolic_link_in_the_path_is_refused_and_its_target_left_alone(string link)
    {
        var elsewhere = Directory.CreateDirectory(Path.Combine(_root.FullName, "elsewhere", "user_anna", _id.ToString()));
        var precious = Path.Combine(elsewhere.FullName, "precious");
        await File.WriteAllTextAsync(precious, "mine");
        var path = Path.Combine(_root.FullName, link.Replace("ID", _id.ToString(), StringComparison.Ordinal));
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        Directory.CreateSymbolicLink(path, link.EndsWith("temp", StringComparison.Ordinal)
            ? elsewhere.Parent!.Parent!.FullName
            : link.EndsWith("anna", StringComparison.Ordinal) ? elsewhere.Parent!.FullName : elsewhere.FullName);

        Assert.Contains(path, Assert.Throws<IOException>(() => Folders.Create(_user, _id)).Message, StringComparison.Ordinal);
        Assert.Throws<IOException>(() => Folders.Remove(_user, _id));

        Assert.Equal("mine", await File.ReadAllTextAsync(precious));
    }

    [Fact]
    public async Task A_link_that_a_recorder_left_in_its_folder_is_removed_without_following_it()
    {
        var precious = Path.Combine(_root.FullName, "precious");
        await File.WriteAllTextAsync(precious, "mine");
        var folder = Folders.Create(_user, _id);
        Directory.CreateSymbolicLink(Path.Combine(folder, "link"), _root.FullName);

        Folders.Remove(_user, _id);

        Assert.False(Directory.Exists(folder));
        Assert.Equal("mine", await File.ReadAllTextAsync(precious));
    }

    [Fact]
    public async Task An_input_file_is_accessible_only_to_its_recorder()
    {
        var path = Path.Combine(Folders.Create(_user, _id), "storage-state.json");

        Folders.WriteInput(_user, _id, "storage-state.json", "first");
        Folders.WriteInput(_user, _id, "storage-state.json", "second");

        Assert.Equal("second", await File.ReadAllTextAsync(path));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        var owner = await Cli.Wrap("stat").WithArguments(["--format", "%u:%g", path]).ExecuteBufferedAsync();
        Assert.Equal(SessionFolders.OwnerOf(Path.GetDirectoryName(path)!).ToString(), owner.StandardOutput.Trim());
    }

    [Fact]
    public async Task An_input_file_replaces_a_link_that_an_earlier_recorder_left()
    {
        var precious = Path.Combine(_root.FullName, "precious");
        await File.WriteAllTextAsync(precious, "mine");
        var path = Path.Combine(Folders.Create(_user, _id), "selectors.json");
        File.CreateSymbolicLink(path, precious);

        Folders.WriteInput(_user, _id, "selectors.json", "{}");

        Assert.Equal(("mine", "{}"), (await File.ReadAllTextAsync(precious), await File.ReadAllTextAsync(path)));
    }

    [Fact]
    public async Task A_secret_is_not_written_again_after_the_recorder_has_started()
    {
        var folder = Folders.Create(_user, _id);
        await File.WriteAllTextAsync(Path.Combine(folder, "journal.jsonl"), "{}");

        Folders.WriteInput(_user, _id, "storage-state.json", "secret");

        Assert.False(File.Exists(Path.Combine(folder, "storage-state.json")));
    }

    [Fact]
    public void Input_files_and_their_folder_are_removed_and_a_second_removal_does_nothing()
    {
        var folder = Folders.Create(_user, _id);
        Folders.WriteInput(_user, _id, "storage-state.json", "secret");
        Folders.WriteInput(_user, _id, "selectors.json", "{}");

        Folders.RemoveInputs(_user, _id);
        Folders.RemoveInputs(_user, _id);

        Assert.False(Directory.Exists(folder));
    }

    [Fact]
    public async Task Only_the_input_files_are_removed_after_the_recorder_has_started()
    {
        var folder = Folders.Create(_user, _id);
        Folders.WriteInput(_user, _id, "storage-state.json", "secret");
        var journal = Path.Combine(folder, "journal.jsonl");
        await File.WriteAllTextAsync(journal, "{}");

        Folders.RemoveInputs(_user, _id);

        Assert.Equal([journal], Directory.GetFileSystemEntries(folder));
    }

    [Fact]
    public async Task A_folder_with_too_many_entries_is_gone_at_once_and_deleted_in_the_background()
    {
        var folder = Folders.Create(_user, _id);
        for (var number = 0; number < 25_000; number++)
            await File.Create(Path.Combine(folder, $"{number}")).DisposeAsync();
        var folders = Folders;

        folders.Remove(_user, _id);

        Assert.False(Directory.Exists(folder));
        Assert.Empty(folders.List());
        Assert.Empty(folders.UnknownEntries());
        Assert.Single(Directory.GetDirectories(Path.Combine(Storage.TempRoot, ".deleted")));
        Assert.Empty(folders.EmptyDeleted(TestContext.Current.CancellationToken));
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(Storage.TempRoot, ".deleted")));
    }

    [Fact]
    public async Task The_list_says_whether_a_session_has_audio_however_many_other_files_it_has()
    {
        var folder = Folders.Create(_user, _id);
        Assert.False(Assert.Single(Folders.List()).HasAudio);
        for (var number = 0; number < 21_000; number++)
            await File.Create(Path.Combine(folder, $"{number}")).DisposeAsync();
        await File.WriteAllTextAsync(Path.Combine(folder, "chunk_00000.ogg"), "audio");

        Assert.True(Assert.Single(Folders.List()).HasAudio);
    }
}
