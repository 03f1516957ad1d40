using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace NewarBots.Tests.Docs;

public sealed partial class LifeOfABotTests
{
    [Fact]
    public void Every_link_in_the_docs_leads_to_a_file_and_a_heading()
    {
        string[] pages =
        [
            .. Directory.EnumerateFiles(Root, "*.md"),
            .. Directory.EnumerateFiles(Path.Combine(Root, "docs"), "*.md", SearchOption.AllDirectories),
        ];

        var broken =
            from page in pages
            from Match link in RelativeLink.Matches(File.ReadAllText(page))
            let path = link.Groups["path"].Value
            let target = path.Length == 0 ? page : Path.GetFullPath(Path.Combine(Path.GetDirectoryName(page)!, path))
            let heading = link.Groups["heading"].Value
            where !Path.Exists(target)
                || (heading.Length > 0 && target.EndsWith(".md", StringComparison.Ordinal) && !HeadingsOf(target).Contains(heading))
            select $"{Path.GetRelativePath(Root, page)} -> {link.Value}";
        Assert.Empty(broken);
    }

    [Theory]
    [InlineData("README.md", 900)]
    [InlineData("docs/life-of-a-bot.md", 1200)]
    public void Pages_that_everyone_reads_stay_short(string page, int maxWords) =>
        Assert.InRange(File.ReadAllText(Path.Combine(Root, page)).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Length, 1, maxWords);

    internal static string Root { get; } = RootOf();

    private static string RootOf([CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "..", ".."));

    /// <summary>As GitHub writes them in addresses.</summary>
    private static IEnumerable<string> HeadingsOf(string page) =>
        from Match heading in Heading.Matches(File.ReadAllText(page))
        select string.Concat(heading.Groups["text"].Value.ToLowerInvariant().Where(letter => char.IsLetterOrDigit(letter) || letter is ' ' or '-' or '_'))
            .Replace(' ', '-');

    [GeneratedRegex(@"\]\((?!https?:)(?<path>[^)#\s]*)(#(?<heading>[^)\s]+))?", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex RelativeLink { get; }

    [GeneratedRegex("^#+ (?<text>.+?)\r?$", RegexOptions.Multiline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Heading { get; }
}
