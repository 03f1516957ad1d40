using System.Text.RegularExpressions;
using NewarBots.Contract;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Docs;

public sealed partial class ReasonsTests
{
    [Fact]
    public async Task Every_end_reason_and_gap_cause_is_documented()
    {
        var page = await File.ReadAllTextAsync(Repository.PathOf("docs", "reasons.md"), TestContext.Current.CancellationToken);
        var parts = page.Split("## Gaps");

        Assert.Equal(Enum.GetValues<EndReason>().Select(reason => WireWord.Of(reason)), WordsOf(parts[0]));
        Assert.Equal(GapCause.All.Order(StringComparer.Ordinal), WordsOf(parts[1]).Order(StringComparer.Ordinal));
    }

    /// <summary>Words in the first column of a table, without its header.</summary>
    private static IEnumerable<string> WordsOf(string table) =>
        from row in FirstColumn.Matches(table).Skip(1)
        from Match word in Word.Matches(row.Value)
        select word.Groups["word"].Value;

    [GeneratedRegex(@"^\| `[^|]*(?=\|)", RegexOptions.Multiline, matchTimeoutMilliseconds: 1000)]
    private static partial Regex FirstColumn { get; }

    [GeneratedRegex("`(?<word>[a-z_]+)`", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Word { get; }
}
