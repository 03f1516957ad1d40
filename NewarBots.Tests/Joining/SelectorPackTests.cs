using NewarBots.Contract;
using NewarBots.Recorder.Joining;

namespace NewarBots.Tests.Joining;

public sealed class SelectorPackTests
{
    [Fact]
    public void The_embedded_pack_knows_every_sign() =>
        Assert.Equal(Enum.GetValues<PageSign>().Order(), SelectorPack.Embedded.Entries.Select(entry => entry.Sign).Distinct().Order());

    [Theory]
    [InlineData("""{"name":"x","version":"1","entries":[{"id":"a","sign":"denied","text":"No","colour":"red"}]}""", "colour")]
    [InlineData("""{"name":"x","version":"1","entries":[{"id":"a","sign":"unheard_of","text":"No"}]}""", "sign")]
    [InlineData("""{"name":"x","version":"1","entries":[{"id":"a","sign":"denied","text":"No","css":"b"}]}""", "'a'")]
    [InlineData("""{"name":"x","version":"1","entries":[{"id":"a","sign":"denied"}]}""", "'a'")]
    [InlineData("""{"name":"x","version":"1","entries":[{"id":"a","sign":"denied","text":"1"},{"id":"a","sign":"ended","text":"2"}]}""", "'a'")]
    [InlineData("""{"name":"x","version":"1","entries":[]}""", "no entries")]
    [InlineData("""{"name":"x","version":"1"}""", "entries")]
    [InlineData("{", "LineNumber: 0")]
    public void A_broken_pack_is_refused_with_the_place_of_the_error(string json, string place) =>
        Assert.Contains(place, Assert.Throws<InvalidSelectorPackException>(() => SelectorPack.Parse(json)).Message, StringComparison.Ordinal);
}
