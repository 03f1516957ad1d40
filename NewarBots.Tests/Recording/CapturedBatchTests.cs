using NewarBots.Recorder.Recording;

namespace NewarBots.Tests.Recording;

public sealed class CapturedBatchTests
{
    [Fact]
    public void Solo_tracks_have_a_position_and_packets()
    {
        var batch = Parse("""
            "solo":[{"track":2,"first":40,"bytes":"AQIDBAU=","sizes":[2,0,3]}],"trackFailures":[{"track":7,"error":"16 others are recorded at the same time"}]
            """);

        var track = Assert.Single(batch.SoloTracks);
        Assert.Equal((2, 40L), (track.Track, track.FirstPacket));
        Assert.Equal([[1, 2], [], [3, 4, 5]], track.Packets.Select(packet => packet.ToArray()));
        Assert.Equal([new TrackFailure(7, "16 others are recorded at the same time")], batch.TrackFailures);
        Assert.Single(batch.Packets);
    }

    [Theory]
    [InlineData("[2,4]")]
    [InlineData("[6,-1]")]
    [InlineData("[2147483647,2147483647,7]")]
    public void A_malformed_solo_track_affects_only_itself(string sizes)
    {
        var batch = Parse($$"""
            "solo":[{"track":1,"first":0,"bytes":"AQIDBAU=","sizes":{{sizes}}},{"track":2,"first":0,"bytes":"AQ==","sizes":[1]}]
            """);

        Assert.Equal(2, Assert.Single(batch.SoloTracks).Track);
        Assert.Equal(1, Assert.Single(batch.TrackFailures).Track);
        Assert.Single(batch.Packets);
    }

    [Fact]
    public void A_message_without_solo_tracks_is_valid()
    {
        var batch = Parse("\"page\":\"p\"");

        Assert.Empty(batch.SoloTracks);
        Assert.Empty(batch.TrackFailures);
    }

    private static CapturedBatch Parse(string more) => CapturedBatch.Parse(new(0, $$"""
        {"capture":"a","startedAt":1782900000000,"first":12,"bytes":"AAA=","sizes":[2],"levels":[-20],"stalls":[],
         "connections":1,"tracks":2,"receivedBytes":9,{{more}}}
        """));
}
