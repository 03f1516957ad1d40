namespace NewarBots.Tests.Fixtures;

/// <summary>A folder with a copy of <c>eng/</c> and of other files of the repository.</summary>
internal sealed class ScriptCopy : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("newarbots-scripts-");

    /// <param name="files">Relative to the repository.</param>
    public ScriptCopy(params string[] files)
    {
        foreach (var file in files.Select(file => Repository.PathOf(file)).Concat(Directory.EnumerateFiles(Repository.PathOf("eng"))))
        {
            var copy = PathOf(Path.GetRelativePath(Repository.Root, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
    }

    public string PathOf(string file) => Path.Combine(_folder.FullName, file);

    public void Dispose() => _folder.Delete(recursive: true);
}
