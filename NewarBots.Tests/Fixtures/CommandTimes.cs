using System.Globalization;
using StackExchange.Redis;

namespace NewarBots.Tests.Fixtures;

/// <summary>How long Redis worked on commands, by its own figures. The time that a call waits says little on a busy machine.</summary>
internal static class CommandTimes
{
    private const double MostMicroseconds = 20_000;

    /// <summary>No kind of command took longer on average. Other calls are answered between two commands.</summary>
    public static async Task AssertShortAsync(IServer redis) => Assert.All(
        (await redis.InfoAsync("commandstats"))[0],
        command => Assert.True(MicrosecondsPerCall(command.Value) < MostMicroseconds, $"{command.Key}: {command.Value}"));

    /// <param name="statistics">The figures of one command: <c>calls=21,usec=175,usec_per_call=8.33,…</c>.</param>
    private static double MicrosecondsPerCall(string statistics) =>
        double.Parse(statistics.Split(',').Single(one => one.StartsWith("usec_per_call=", StringComparison.Ordinal)).Split('=')[1], CultureInfo.InvariantCulture);
}
