using System.Text;
using NewarBots.Manager.Api;

namespace NewarBots.Tests.Security;

/// <summary>Untrusted text that would control the terminal of whoever reads it.</summary>
public sealed class PlainTextTests
{
    [Theory]
    [InlineData("plain\ttext\nGrüße 👩‍💻\n", "plain\ttext\nGrüße 👩‍💻\n")]
    [InlineData("\u001b[2J\u001b]0;title\u0007", "␛[2J␛]0;title␇")]
    [InlineData("safe\rEVIL", "safe␍EVIL")]
    [InlineData("\0\u0008\u007f", "␀␈␡")]
    [InlineData("\u009b31mred\u0085next", "\ufffd31mred\ufffdnext")]
    [InlineData("abc\u202egpj.exe\u2066", "abc\ufffdgpj.exe\ufffd")]
    public async Task Control_characters_become_visible(string text, string expected)
    {
        Assert.Equal(expected, await WriteAsync(Encoding.UTF8.GetBytes(text), piece: int.MaxValue));
    }

    [Fact]
    public async Task Text_in_pieces_of_any_length_gives_the_same_result()
    {
        var bytes = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("a\u001b[1mé\u009b€\t👩‍💻\u202e\r\n", 1000)));
        var whole = await WriteAsync(bytes, int.MaxValue);

        foreach (var piece in new[] { 1, 2, 3, 7, 8191, 8192, 8193 })
            Assert.Equal(whole, await WriteAsync(bytes, piece));
    }

    [Fact]
    public async Task Invalid_and_incomplete_bytes_are_replaced()
    {
        Assert.Equal("a\ufffd[31m\ufffd", await WriteAsync([(byte)'a', 0x9b, .. "[31m"u8, 0xE2, 0x82], piece: 1));
    }

    private static async Task<string> WriteAsync(byte[] bytes, int piece)
    {
        using var target = new MemoryStream();
        await using var text = new PlainTextStream(target);
        foreach (var part in bytes.Chunk(piece))
            await text.WriteAsync(part, TestContext.Current.CancellationToken);
        await text.CompleteAsync(TestContext.Current.CancellationToken);
        return Encoding.UTF8.GetString(target.ToArray());
    }
}
