using System.Text.RegularExpressions;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Docs;

public sealed partial class DocumentationTests
{
    [Fact]
    public void Every_relative_link_in_the_docs_has_an_existing_file_and_heading()
    {
        string[] pages =
        [
            .. Directory.EnumerateFiles(Repository.Root, "*.md"),
            .. Directory.EnumerateFiles(Repository.PathOf("docs"), "*.md", SearchOption.AllDirectories),
        ];

        var broken =
            from page in pages
            from Match link in RelativeLink.Matches(File.ReadAllText(page))
            let path = link.Groups["path"].Value
            let target = path.Length == 0 ? page : Path.GetFullPath(Path.Combine(Path.GetDirectoryName(page)!, path))
            let heading = link.Groups["heading"].Value
            where !Path.Exists(target)
                || (heading.Length > 0 && target.EndsWith(".md", StringComparison.Ordinal) && !HeadingsOf(target).Contains(heading))
            select $"{Path.GetRelativePath(Repository.Root, page)} -> {link.Value}";
        Assert.Empty(broken);
    }

    [Theory]
    [InlineData("README.md", 900)]
    [InlineData("docs/life-of-a-bot.md", 1200)]
    public void The_first_pages_stay_short(string page, int maxWords) =>
        Assert.InRange(File.ReadAllText(Repository.PathOf(page)).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Length, 1, maxWords);

    /// <summary>Headings in the form that GitHub uses in links.</summary>
    private static IEnumerable<string> HeadingsOf(string page) =>
        from Match heading in Heading.Matches(File.ReadAllText(page))
        select string.Concat(heading.Groups["text"].Value.ToLowerInvariant().Where(letter => char.IsLetterOrDigit(letter) || letter is ' ' or '-' or '_'))
            .Replace(' ', '-');

    [GeneratedRegex(@"\]\((?!https?:)(?<path>[^)#\s]*)(#(?<heading>[^)\s]+))?", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex RelativeLink { get; }

    [GeneratedRegex("^#+ (?<text>.+?)\r?$", RegexOptions.Multiline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Heading { get; }
}
