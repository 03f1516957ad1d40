using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Architecture;

/// <summary>
/// A project's source, compiled in memory without its source generators. Source is read rather than the built assembly, because a
/// constant leaves no trace in the assembly that uses it, and because a fault should name two files.
/// </summary>
internal sealed class SourceProject
{
    private const string ImplicitUsings = """
        global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq;
        global using System.Net.Http; global using System.Net.Http.Json; global using System.Threading; global using System.Threading.Tasks;
        global using Microsoft.AspNetCore.Builder; global using Microsoft.AspNetCore.Hosting; global using Microsoft.AspNetCore.Http;
        global using Microsoft.AspNetCore.Routing; global using Microsoft.Extensions.Configuration; global using Microsoft.Extensions.DependencyInjection;
        global using Microsoft.Extensions.Hosting; global using Microsoft.Extensions.Logging;
        """;

    /// <summary>A partial member whose body a source generator writes, and the interfaces that a JSON context gets that way.</summary>
    private static readonly string[] LeftToGenerators = ["CS8795", "CS9248", "CS0534", "CS0117", "CS7036", "CS1729"];

    private readonly string _folder;
    private readonly CSharpCompilation _compilation;

    private SourceProject(string folder, CSharpCompilation compilation)
    {
        _folder = folder;
        _compilation = compilation;
    }

    /// <param name="name">The project's folder below the repository, which is also its assembly's name.</param>
    public static SourceProject Read(string name)
    {
        var folder = Repository.PathOf(name);
        var options = CSharpParseOptions.Default.WithLanguageVersion(LanguageVersion.Latest);
        var trees = Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories)
            .Where(file => Path.GetRelativePath(folder, file).Split(Path.DirectorySeparatorChar)[0] is not ("bin" or "obj"))
            .Select(file => CSharpSyntaxTree.ParseText(File.ReadAllText(file), options, file))
            .Append(CSharpSyntaxTree.ParseText(ImplicitUsings, options));
        var references = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(assembly => Path.GetFileNameWithoutExtension(assembly) != name)
            .Select(assembly => MetadataReference.CreateFromFile(assembly));
        return new(folder, CSharpCompilation.Create(
            name, trees, references,
            new(OutputKind.ConsoleApplication, allowUnsafe: true, nullableContextOptions: NullableContextOptions.Enable)));
    }

    /// <summary>Names that the compiler could not resolve. Each is a reference that these tests would miss.</summary>
    public IEnumerable<string> Errors() => _compilation.GetDiagnostics()
        .Where(diagnostic => diagnostic.Severity is DiagnosticSeverity.Error && !LeftToGenerators.Contains(diagnostic.Id))
        .Select(diagnostic => diagnostic.ToString());

    /// <summary>Each use of a type or member by a file that does not declare it, once per pair of files.</summary>
    public IEnumerable<Use> Uses() => _compilation.SyntaxTrees.Where(tree => tree.FilePath.Length > 0).SelectMany(tree =>
    {
        var model = _compilation.GetSemanticModel(tree);
        return tree.GetRoot().DescendantNodes().OfType<SimpleNameSyntax>()
            .Select(name => model.GetSymbolInfo(name).Symbol)
            .Select(symbol => symbol as INamedTypeSymbol ?? symbol?.ContainingType)
            .OfType<INamedTypeSymbol>()
            .SelectMany(type => type.DeclaringSyntaxReferences.Select(declared => new Use(
                Relative(tree.FilePath), Relative(declared.SyntaxTree.FilePath), type.Name)))
            .Where(use => use.File != use.Declared)
            .DistinctBy(use => use.Declared);
    });

    /// <summary>Each use of a member by a type of this project, with the names of both types.</summary>
    public IEnumerable<MemberUse> MemberUses() => _compilation.SyntaxTrees.Where(tree => tree.FilePath.Length > 0).SelectMany(tree =>
    {
        var model = _compilation.GetSemanticModel(tree);
        return tree.GetRoot().DescendantNodes().OfType<SimpleNameSyntax>()
            .Select(name => (User: name.FirstAncestorOrSelf<TypeDeclarationSyntax>()?.Identifier.Text ?? "", Symbol: model.GetSymbolInfo(name).Symbol))
            .Where(use => use.Symbol is not null)
            .Select(use => new MemberUse(
                Relative(tree.FilePath), use.User, (use.Symbol as INamedTypeSymbol ?? use.Symbol!.ContainingType)?.Name ?? "", use.Symbol!.Name))
            .Distinct();
    });

    /// <summary>The lines from a type's first to its last, the longest first.</summary>
    public IEnumerable<(string Type, int Lines)> Lengths() => _compilation.SyntaxTrees.Where(tree => tree.FilePath.Length > 0)
        .SelectMany(tree => tree.GetRoot().DescendantNodes().OfType<TypeDeclarationSyntax>().Select(type =>
        {
            var lines = tree.GetLineSpan(type.Span);
            return ($"{Relative(tree.FilePath)}: {type.Identifier.Text}", lines.EndLinePosition.Line - lines.StartLinePosition.Line + 1);
        }))
        .OrderByDescending(type => type.Item2);

    private string Relative(string file) => Path.GetRelativePath(_folder, file).Replace('\\', '/');
}

/// <param name="File">The file that uses it, relative to the project.</param>
/// <param name="By">The type that uses it.</param>
/// <param name="Type">The type that it belongs to, or the type itself.</param>
/// <param name="Member">The member, or the type itself.</param>
internal sealed record MemberUse(string File, string By, string Type, string Member)
{
    public override string ToString() => $"{By} ({File}) uses {Type}.{Member}";
}

/// <param name="File">The file that uses it, relative to the project.</param>
/// <param name="Declared">The file that declares it.</param>
/// <param name="Type">The type's name.</param>
internal sealed record Use(string File, string Declared, string Type)
{
    /// <summary>The first folder below the project; empty for a file beside the project file.</summary>
    public string Room => RoomOf(File);

    public string UsedRoom => RoomOf(Declared);

    public override string ToString() => $"{File} uses {Type} ({Declared})";

    private static string RoomOf(string file) => file.Contains('/', StringComparison.Ordinal) ? file[..file.IndexOf('/', StringComparison.Ordinal)] : "";
}
