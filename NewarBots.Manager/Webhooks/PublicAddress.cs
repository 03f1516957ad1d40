using System.Net;
using System.Net.Sockets;

namespace NewarBots.Manager.Webhooks;

/// <summary>Tells public addresses from those of this machine and of private networks.</summary>
internal static class PublicAddress
{
    /// <summary>
    /// Multicast, and the ranges that are not globally reachable according to the IANA registries of special-purpose addresses
    /// (<see href="https://www.iana.org/assignments/iana-ipv4-special-registry">IPv4</see>,
    /// <see href="https://www.iana.org/assignments/iana-ipv6-special-registry">IPv6</see>). 6to4 and Teredo are listed because they embed IPv4
    /// addresses. NAT64 does too, but is outside <see cref="GlobalUnicast"/>.
    /// </summary>
    private static readonly IReadOnlyList<IPNetwork> SpecialPurpose =
    [
        .. new[]
        {
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
            "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",
            "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
        }.Select(IPNetwork.Parse),
    ];

    /// <summary>The only allowed range of IPv6.</summary>
    private static readonly IPNetwork GlobalUnicast = IPNetwork.Parse("2000::/3");

    public static bool IsPublic(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        return (address.AddressFamily is AddressFamily.InterNetwork || GlobalUnicast.Contains(address))
            && !SpecialPurpose.Any(network => network.Contains(address));
    }
}
