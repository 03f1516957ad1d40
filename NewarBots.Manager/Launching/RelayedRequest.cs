namespace NewarBots.Manager.Launching;

internal static class RelayedRequest
{
    /// <summary>
    /// Whether a request came through the <see cref="LoopbackRelay"/>, and so from a bot's container rather than from this machine.
    /// </summary>
    public static bool IsRelayed(this HttpContext context) =>
        context.Connection.RemoteIpAddress is { } address
        && (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).Equals(LoopbackRelay.Source);
}
