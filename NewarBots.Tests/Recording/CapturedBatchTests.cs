using NewarBots.Recorder.Recording;

namespace NewarBots.Tests.Recording;

public sealed class CapturedBatchTests
{
    [Fact]
    public void Tracks_alone_come_with_their_place_and_their_packets()
    {
        var batch = Parse("""
            "alone":[{"track":2,"first":40,"bytes":"AQIDBAU=","sizes":[2,0,3]}],"troubles":[{"track":7,"what":"16 others are recorded at the same time"}]
            """);

        var track = Assert.Single(batch.Alone);
        Assert.Equal((2, 40L), (track.Track, track.FirstPacket));
        Assert.Equal([[1, 2], [], [3, 4, 5]], track.Packets.Select(packet => packet.ToArray()));
        Assert.Equal([new TrackTrouble(7, "16 others are recorded at the same time")], batch.Troubles);
        Assert.Single(batch.Packets);
    }

    [Theory]
    [InlineData("[2,4]")]
    [InlineData("[6,-1]")]
    [InlineData("[2147483647,2147483647,7]")]
    public void A_track_that_cannot_be_read_costs_only_itself(string sizes)
    {
        var batch = Parse($$"""
            "alone":[{"track":1,"first":0,"bytes":"AQIDBAU=","sizes":{{sizes}}},{"track":2,"first":0,"bytes":"AQ==","sizes":[1]}]
            """);

        Assert.Equal(2, Assert.Single(batch.Alone).Track);
        Assert.Equal(1, Assert.Single(batch.Troubles).Track);
        Assert.Single(batch.Packets);
    }

    [Fact]
    public void Without_tracks_alone_there_are_none()
    {
        var batch = Parse("\"page\":\"p\"");

        Assert.Empty(batch.Alone);
        Assert.Empty(batch.Troubles);
    }

    private static CapturedBatch Parse(string more) => CapturedBatch.Parse(new(0, $$"""
        {"capture":"a","startedAt":1782900000000,"first":12,"bytes":"AAA=","sizes":[2],"levels":[-20],"stalls":[],
         "connections":1,"tracks":2,"receivedBytes":9,{{more}}}
        """));
}
