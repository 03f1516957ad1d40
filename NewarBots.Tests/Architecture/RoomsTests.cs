namespace NewarBots.Tests.Architecture;

/// <summary>The rooms of a project are the folders directly below it. Each may use only those that come before it.</summary>
public sealed class RoomsTests
{
    private const int LongestType = 400;

    private static readonly string[] Manager =
    [
        "Hosting", "Api", "Access", "Bots", "Containers", "Launching", "Tracking", "Recordings", "Ending", "Reconciling",
        "Scheduling", "Webhooks", "Mcp", "Rehearsal", "Dashboard", "Telemetry",
    ];

    private static readonly string[] Recorder = ["Hosting", "Reporting", "Recording", "Joining", "Leaving"];

    [Fact]
    public void Rooms_of_the_manager_depend_on_each_other_in_one_direction_only() =>
        AssertOneDirection(SourceProject.Read("NewarBots.Manager"), Manager);

    [Fact]
    public void Rooms_of_the_recorder_depend_on_each_other_in_one_direction_only() =>
        AssertOneDirection(SourceProject.Read("NewarBots.Recorder"), Recorder);

    [Theory]
    [InlineData("NewarBots.Manager")]
    [InlineData("NewarBots.Recorder")]
    [InlineData("NewarBots.ServiceDefaults")]
    public void No_type_has_more_than_400_lines(string project) =>
        AssertNone(SourceProject.Read(project).Lengths().TakeWhile(type => type.Lines > LongestType).Select(type => $"{type.Type} has {type.Lines} lines"));

    private static void AssertOneDirection(SourceProject project, string[] order)
    {
        AssertNone(project.Errors());
        var uses = project.Uses().Where(use => use.Room.Length > 0).ToList();
        Assert.NotEmpty(uses);

        // A room that is not in the list is last: it may use all, and nothing may use it.
        var faults = uses.Where(use => use.UsedRoom != use.Room && Rank(use.UsedRoom) >= Rank(use.Room)).Select(use =>
            uses.Find(back => back.Room == use.UsedRoom && back.UsedRoom == use.Room) is { } back
                ? $"{use}, while {back}"
                : $"{use}, but {use.UsedRoom} comes after {use.Room}");

        AssertNone(faults);

        int Rank(string room) => room.Length == 0 || Array.IndexOf(order, room) is not (>= 0 and var rank) ? order.Length : rank;
    }

    /// <summary>Shows every fault whole; a collection assertion would shorten them.</summary>
    private static void AssertNone(IEnumerable<string> faults)
    {
        var all = string.Join(Environment.NewLine, faults);
        Assert.True(all.Length == 0, all);
    }
}
