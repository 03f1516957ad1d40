using CsCheck;
using Microsoft.Extensions.Time.Testing;
using NewarBots.Contract;

namespace NewarBots.Tests.Contract;

public sealed class SessionIdTests
{
    [Fact]
    public void Ids_sort_by_creation_time_even_within_a_millisecond()
    {
        var time = new FakeTimeProvider();
        var ids = new List<string>();
        for (var i = 0; i < 5000; i++)
        {
            ids.Add(SessionId.New(time).ToString());
            time.Advance(TimeSpan.FromTicks(7));
        }

        Assert.Equal(ids.Order(StringComparer.Ordinal), ids);
    }

    [Fact]
    public void A_new_id_can_be_parsed()
    {
        var id = SessionId.New(TimeProvider.System);

        Assert.Equal(id, SessionId.Parse(id.ToString()));
    }

    [Fact]
    public void An_id_never_contains_path_characters() => Gen.String.Sample(text =>
    {
        if (SessionId.TryParse(text, provider: null, out var id))
            Assert.Matches("^[a-z0-9]{1,64}$", id.ToString());
    });

    [Theory]
    [InlineData("")]
    [InlineData("..")]
    [InlineData("a/b")]
    [InlineData("A")]
    [InlineData("a\n")]
    [InlineData(null)]
    public void Invalid_ids_are_rejected(string? text) => Assert.False(SessionId.TryParse(text, provider: null, out _));
}
