using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace NewarBots.Tests.Docs;

public sealed partial class LifeOfABotTests
{
    [Fact]
    public void Every_link_in_the_docs_leads_somewhere()
    {
        string[] pages = [Path.Combine(Root, "README.md"), .. Directory.EnumerateFiles(Path.Combine(Root, "docs"), "*.md", SearchOption.AllDirectories)];

        var broken =
            from page in pages
            from Match link in RelativeLink.Matches(File.ReadAllText(page))
            let target = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(page)!, link.Groups["path"].Value))
            where !Path.Exists(target)
            select $"{Path.GetRelativePath(Root, page)} -> {link.Groups["path"].Value}";
        Assert.Empty(broken);
    }

    internal static string Root { get; } = RootOf();

    private static string RootOf([CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "..", ".."));

    [GeneratedRegex(@"\]\((?!https?:|#)(?<path>[^)#\s]+)", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex RelativeLink { get; }
}
