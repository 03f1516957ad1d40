using NewarBots.Contract;
using NewarBots.Manager.Containers;
using NewarBots.Manager.Recordings;

namespace NewarBots.Tests.Architecture;

/// <summary>A recorder may put anything into its folder at any moment, so only one type of the manager may touch what is there.</summary>
public sealed class UntrustedFilesTests
{
    /// <summary>Types that may know where the session folders are.</summary>
    private static readonly string[] KnowThePath =
        ["UntrustedFolder", "SessionFolders", "SessionFolder", "BotFollower"];

    /// <summary>Types that work on the content of session folders, and nothing else.</summary>
    private static readonly string[] UseTheDoor = ["SessionFolders", "SessionFolder", "ChunkFolder", "ChunkReader", "JournalFile"];

    private static readonly string[] FileTypes =
        ["File", "Directory", "FileInfo", "DirectoryInfo", "FileSystemInfo", "FileStream", "StreamWriter", "RandomAccess", "MemoryMappedFile"];

    /// <summary>Types that get paths in session folders for messages and moves, and work with files in the manager's own folders: recordings and work folders.</summary>
    private static readonly string[] UseOwnFiles = ["PartialRecording", "FinalRecording", "PieceFiles", "TrackAssembler"];

    private static readonly SourceProject Manager = SourceProject.Read("NewarBots.Manager");

    [Fact]
    public void Only_a_few_types_know_where_the_session_folders_are() => AssertNone(Manager.MemberUses().Where(use =>
        use is { Type: nameof(StorageLayout), Member: nameof(StorageLayout.SessionFolder) or nameof(StorageLayout.TempRoot) }
        && !KnowThePath.Contains(use.By)
        // Sets the permissions of the folder of all session folders, where no recorder can write.
        && use is not { By: "StoragePermissions", Member: nameof(StorageLayout.TempRoot) }));

    [Fact]
    public void Types_that_know_the_session_folders_or_their_content_use_no_other_file_access() => AssertNone(Manager.MemberUses().Where(use =>
        FileTypes.Contains(use.Type)
        && UseTheDoor.Union(KnowThePath).Contains(use.By)
        // The folder of all session folders is created with the storage folder above it; no recorder can write there.
        && use is not { By: nameof(UntrustedFolder), Member: nameof(Directory) or nameof(Directory.CreateDirectory) or nameof(RandomAccess) or nameof(RandomAccess.Write) or nameof(RandomAccess.FlushToDisk) }));

    [Fact]
    public void Only_a_few_types_get_a_path_in_a_session_folder_and_work_with_files_of_the_manager()
    {
        var holders = Manager.MemberUses().Where(IsPathInSession).Select(use => use.By).ToHashSet();

        Assert.NotEmpty(holders);
        AssertNone(Manager.MemberUses().Where(use =>
            FileTypes.Contains(use.Type) && holders.Contains(use.By) && !UseOwnFiles.Contains(use.By)));

        static bool IsPathInSession(MemberUse use) => use
            is { Type: nameof(ChunkFile), Member: nameof(ChunkFile.Path) }
            or { Type: nameof(ChunkFolder), Member: nameof(ChunkFolder.PathOf) }
            or { Type: nameof(SessionFolder), Member: nameof(SessionFolder.Path) };
    }

    [Fact]
    public void Only_the_door_calls_the_kernel_to_open_move_or_remove_files() => AssertNone(Manager.MemberUses().Where(use =>
        use is { Type: nameof(LinuxFiles), Member: nameof(LinuxFiles.Open) or nameof(LinuxFiles.Rename) or nameof(LinuxFiles.Unlink) }
        && use.By is not (nameof(UntrustedFolder) or nameof(LinuxFiles))));

    private static void AssertNone(IEnumerable<MemberUse> faults)
    {
        var all = string.Join(Environment.NewLine, faults);
        Assert.True(all.Length == 0, all);
    }
}
