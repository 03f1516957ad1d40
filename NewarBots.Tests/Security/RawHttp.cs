using System.Globalization;
using System.Net.Sockets;
using System.Text;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Security;

/// <summary>Bytes as an attacker sends them, past every client that would keep to the rules.</summary>
internal static class RawHttp
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Sends the text, each character one byte, and reads until the manager hangs up.</summary>
    public static async Task<RawAnswer> SendAsync(ManagerProcess manager, string text)
    {
        using var connection = await ConnectAsync(manager);
        await connection.GetStream().WriteAsync(Encoding.Latin1.GetBytes(text));
        return await AnswerAsync(connection);
    }

    public static async Task<TcpClient> ConnectAsync(ManagerProcess manager)
    {
        var connection = new TcpClient();
        await connection.ConnectAsync("127.0.0.1", manager.Port);
        return connection;
    }

    /// <summary>All that comes until the manager hangs up.</summary>
    public static async Task<RawAnswer> AnswerAsync(TcpClient connection)
    {
        using var deadline = new CancellationTokenSource(Patience);
        using var answer = new MemoryStream();
        try
        {
            await connection.GetStream().CopyToAsync(answer, deadline.Token);
        }
        catch (IOException)
        {
            // It hung up on what was still being sent.
        }

        return new(Encoding.Latin1.GetString(answer.ToArray()));
    }
}

/// <param name="Text">Everything, headers and body.</param>
internal sealed record RawAnswer(string Text)
{
    /// <summary>0 where the connection was closed without a word.</summary>
    public int Status => Text.StartsWith("HTTP/1.1 ", StringComparison.Ordinal) ? int.Parse(Text.AsSpan(9, 3), CultureInfo.InvariantCulture) : 0;

    /// <summary>How many requests were answered.</summary>
    public int Count => Text.Split("HTTP/1.1 ").Length - 1;
}
