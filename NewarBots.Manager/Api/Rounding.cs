namespace NewarBots.Manager.Api;

/// <summary>Responses have seconds with three decimals. More would be noise of the arithmetic.</summary>
internal static class Rounding
{
    public static double ToMilliseconds(this double seconds) => Math.Round(seconds, 3);

    public static double? ToMilliseconds(this double? seconds) => seconds is { } known ? Math.Round(known, 3) : null;
}
