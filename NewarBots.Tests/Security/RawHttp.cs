using System.Globalization;
using System.Net.Sockets;
using System.Text;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Security;

/// <summary>Sends raw bytes, as an attacker would; HTTP clients send only valid requests.</summary>
internal static class RawHttp
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    /// <summary>Sends the text as Latin-1 and reads until the manager closes the connection.</summary>
    public static async Task<RawAnswer> SendAsync(ManagerProcess manager, string text)
    {
        using var connection = await ConnectAsync(manager);
        await connection.GetStream().WriteAsync(Encoding.Latin1.GetBytes(text));
        return await ReadAsync(connection);
    }

    public static async Task<TcpClient> ConnectAsync(ManagerProcess manager)
    {
        var connection = new TcpClient();
        await connection.ConnectAsync("127.0.0.1", manager.Port);
        return connection;
    }

    /// <summary>Reads until the manager closes the connection.</summary>
    public static async Task<RawAnswer> ReadAsync(TcpClient connection)
    {
        using var deadline = new CancellationTokenSource(Timeout);
        using var answer = new MemoryStream();
        try
        {
            await connection.GetStream().CopyToAsync(answer, deadline.Token);
        }
        catch (IOException)
        {
            // The manager closed the connection while the request was still being sent.
        }

        return new(Encoding.Latin1.GetString(answer.ToArray()));
    }
}

/// <param name="Text">All responses with headers and bodies.</param>
internal sealed record RawAnswer(string Text)
{
    /// <summary>0 if the connection was closed without a response.</summary>
    public int Status => Text.StartsWith("HTTP/1.1 ", StringComparison.Ordinal) ? int.Parse(Text.AsSpan(9, 3), CultureInfo.InvariantCulture) : 0;

    /// <summary>The number of responses.</summary>
    public int Count => Text.Split("HTTP/1.1 ").Length - 1;
}
