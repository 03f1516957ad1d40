using System.Text.RegularExpressions;
using NewarBots.Contract;
using NewarBots.Recorder.Joining;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Docs;

public sealed partial class MeetPageTests
{
    [Fact]
    public async Task Every_entry_of_the_selector_pack_has_a_source()
    {
        var page = await File.ReadAllTextAsync(Repository.PathOf("docs", "meet-page.md"), TestContext.Current.CancellationToken);
        var named = Id.Matches(page).Select(match => match.Groups["id"].Value).ToHashSet();
        var ids = SelectorPack.Embedded.Entries.Select(entry => entry.Id).ToList();

        Assert.DoesNotContain(ids, id => !named.Contains(id) && !named.Contains($"{id.Split('.')[0]}.*"));
        Assert.DoesNotContain(named, name => name.EndsWith(".*", StringComparison.Ordinal) ? !ids.Exists(id => id.StartsWith(name[..^1], StringComparison.Ordinal)) : !ids.Contains(name));
    }

    [GeneratedRegex(@"`(?<id>[a-z_]+\.([a-z_]+|\*))`", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Id { get; }
}
