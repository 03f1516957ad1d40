using System.Globalization;

namespace NewarBots.Manager.Containers;

/// <summary>User ids, from the first to the last.</summary>
internal readonly record struct UserIdRange(uint First, uint Last)
{
    /// <summary>For programs that read files of recorders, and the last one for signals to them. systemd's list of user ids has these as unused.</summary>
    public static UserIdRange OfProcesses { get; } = new(60_578, 61_183);

    public uint Count => Last - First + 1;

    /// <param name="text"><c>first-last</c>.</param>
    public static UserIdRange? TryParse(string? text) =>
        text?.Split('-') is [var first, var last]
        && uint.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out var from)
        && uint.TryParse(last, NumberStyles.None, CultureInfo.InvariantCulture, out var to)
        && from <= to
            ? new(from, to)
            : null;

    public bool Contains(uint id) => id >= First && id <= Last;

    public bool Overlaps(UserIdRange other) => First <= other.Last && other.First <= Last;

    /// <returns>A random id of the range that is not taken, so that two managers seldom choose the same; <see langword="null"/> if all are taken.</returns>
    public uint? Choose(IReadOnlySet<uint> taken)
    {
        var start = (uint)Random.Shared.NextInt64(Count);
        for (var offset = 0u; offset < Count; offset++)
        {
            var id = First + (uint)(((ulong)start + offset) % Count);
            if (!taken.Contains(id))
                return id;
        }

        return null;
    }
}
