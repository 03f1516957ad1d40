using NewarBots.Contract;

namespace NewarBots.Tests.Contract;

public sealed class StorageLayoutTests
{
    [Theory]
    [InlineData("track_1", 1)]
    [InlineData("track_999", 999)]
    [InlineData("track_0", null)]
    [InlineData("track_1000", null)]
    [InlineData("track_01", null)]
    [InlineData("track_-1", null)]
    [InlineData("track_ 1", null)]
    [InlineData("track_", null)]
    [InlineData("Track_1", null)]
    [InlineData("track_1.ogg", null)]
    [InlineData("track_99999999999999999999", null)]
    public void Only_the_exact_name_of_a_track_folder_is_parsed(string name, int? expected) =>
        Assert.Equal(expected, StorageLayout.TryParseTrackFolderName(name, out var track) ? track : null);

    [Fact]
    public void A_track_file_is_stored_beside_its_recording()
    {
        var (user, id) = (UserId.Parse("ada"), SessionId.Parse("0199aaaabbbbccccddddeeeeffff0001"));
        var storage = new StorageLayout("/srv");

        Assert.Equal("/srv/recordings/final/user_ada/0199aaaabbbbccccddddeeeeffff0001.track-12.ogg", storage.Track(user, id, 12));
        Assert.Equal("0199aaaabbbbccccddddeeeeffff0001.track-*.ogg", StorageLayout.TrackPattern(id));
    }
}
