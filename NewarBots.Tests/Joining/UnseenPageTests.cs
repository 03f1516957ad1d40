using NewarBots.Tests.Lives;

namespace NewarBots.Tests.Joining;

/// <summary>
/// Meeting pages that the selector pack and the join rules were not written for. Each page of <c>UnseenPages/</c> is a variant of a way in
/// which meeting pages have misled recorders, or a benign twin of one, and promises the right outcome in its header.
/// </summary>
[Collection(AloneOnTheMachine.Name)]
[TestCaseOrderer(typeof(RehearsalOrder))]
public sealed class UnseenPageTests(UnseenPageVisits visits) : IClassFixture<UnseenPageVisits>
{
    public static TheoryData<string> RepresentativePages { get; } = [.. UnseenPage.All.Where(page => page.IsRepresentative).Select(page => page.Name)];

    public static TheoryData<string> OtherPages { get; } = [.. UnseenPage.All.Where(page => !page.IsRepresentative).Select(page => page.Name)];

    [Theory]
    [MemberData(nameof(RepresentativePages))]
    public Task A_page_that_the_recorder_has_never_seen_ends_as_promised(string name) => AssertEndsAsPromisedAsync(name);

    [Theory]
    [MemberData(nameof(OtherPages))]
    [Trait("Suite", "Long")]
    public Task Every_page_that_the_recorder_has_never_seen_ends_as_promised(string name) => AssertEndsAsPromisedAsync(name);

    private async Task AssertEndsAsPromisedAsync(string name)
    {
        var visit = await visits.ToAsync(name);
        Assert.True(visit.Broken.Count == 0, $"{name} broke its promises.\n{string.Join('\n', visit.Broken)}\n{visit.Recorder}");
    }
}
