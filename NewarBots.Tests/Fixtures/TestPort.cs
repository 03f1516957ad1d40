using System.Net;
using System.Net.Sockets;

namespace NewarBots.Tests.Fixtures;

/// <summary>
/// Ports for servers that start later. They are below the range from which the kernel takes the ports of outgoing connections (32768 and above),
/// so nothing else takes one in the meantime.
/// </summary>
internal static class TestPort
{
    private const int First = 20_000;
    private const int Count = 10_000;

    /// <summary>Differs between test processes that run at the same time.</summary>
    private static int _last = Environment.ProcessId * 97 % Count;

    /// <returns>A port on which nothing listens, at any address. This process gets it once.</returns>
    public static int Next()
    {
        for (var attempt = 0; attempt < Count; attempt++)
        {
            var port = First + (Interlocked.Increment(ref _last) % Count);
            if (IsFree(port))
                return port;
        }

        throw new InvalidOperationException($"All ports from {First} to {First + Count - 1} are in use.");
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Any, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
