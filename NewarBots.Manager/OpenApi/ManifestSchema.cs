using Microsoft.OpenApi;
using NewarBots.Contract;
using NewarBots.Manager.Bots;
using NewarBots.Manager.Recordings;

namespace NewarBots.Manager.OpenApi;

/// <summary>What <see cref="RecordingManifest"/> is in JSON.</summary>
internal static class ManifestSchema
{
    public const string Name = "Manifest";

    public static void AddTo(OpenApiDocument document)
    {
        var chunk = ApiSchemas.Object(
            "A piece of audio that the recording was put together from.",
            ("index", ApiSchemas.Whole("Its number.", 0)),
            ("file", ApiSchemas.Text("Its file's name.")),
            ("sha256", Hash("Of the file as it was found.")),
            ("bytes", ApiSchemas.Whole("The file's size.", 0)),
            ("startSeconds", ApiSchemas.Seconds("Where it begins in the recording.")),
            ("durationSeconds", ApiSchemas.Seconds("How long it is in the recording.")),
            ("startedAt", ApiSchemas.Time("Wall-clock time of its first sample.")),
            ("problem", ApiSchemas.Words<ChunkProblem>("What was wrong with it; what could be read of it is in the recording.")));
        chunk.Required = new HashSet<string> { "index", "file", "sha256", "bytes", "startSeconds", "durationSeconds" };

        var segment = ApiSchemas.Object(
            "A stretch in which somebody spoke.",
            ("startSeconds", ApiSchemas.Seconds("From here, in seconds from the start of the recording.")),
            ("endSeconds", ApiSchemas.Seconds("To here.")),
            ("level", new() { Type = JsonSchemaType.Integer, Description = "Mean loudness in dBFS (RMS)." }));
        ApiSchemas.RequireAll(segment);
        var speaker = ApiSchemas.Object(
            "Somebody who spoke.",
            ("source", ApiSchemas.Text("csrc: and the contributing source's number, or track: and the track's.")),
            ("name", ApiSchemas.Text("What the page called whom it marked as speaking meanwhile.")),
            ("spokenSeconds", ApiSchemas.Seconds("All segments together.")),
            ("segments", List("In order, none touching another.", segment)));
        speaker.Required = new HashSet<string> { "source", "spokenSeconds", "segments" };

        var track = ApiSchemas.Object(
            "One track alone.",
            ("track", ApiSchemas.Whole("Its number, as in the source track:1 of a speaker.", 0, StorageLayout.MaxTrack)),
            ("name", ApiSchemas.Text("Whom it carried, where that was one person throughout.")),
            ("file", ApiSchemas.Text("Its file's name; absent where it could not be made. Had by recording?track=.")),
            ("startSeconds", new() { Type = JsonSchemaType.Number, Description = "Where it begins in the recording; absent where no chunk tells it." }),
            ("durationSeconds", ApiSchemas.Seconds("Its length, as decoded.")),
            ("bytes", ApiSchemas.Whole("The file's size.", 0)),
            ("sha256", Hash("Of the file.")),
            ("gaps", List("Where something of it is missing that the mix may have; silence in its file.", Gap())),
            ("problem", ApiSchemas.Words<TrackProblem>("Why there is no file.")));
        track.Required = new HashSet<string> { "track", "gaps" };

        var ignored = ApiSchemas.Object(
            "A file that is not in the recording.",
            ("file", ApiSchemas.Text("Its name in the session's folder.")),
            ("why", ApiSchemas.Words<IgnoreReason>("Why it is not in the recording.")),
            ("bytes", ApiSchemas.Whole("Its size, where it is a plain file.", 0)));
        ignored.Required = new HashSet<string> { "file", "why" };

        var manifest = ApiSchemas.Object(
            "What exactly was recorded. Absent where unknown; times are UTC, durations in seconds.",
            ("version", ApiSchemas.Whole("Of this shape.", RecordingManifest.CurrentVersion, RecordingManifest.CurrentVersion)),
            ("sessionId", ApiSchemas.Id()),
            ("userId", ApiSchemas.User("Whose the bot was.")),
            ("meetingUrl", ApiSchemas.Text("Where it was.", format: "uri")),
            ("botName", ApiSchemas.Text("The name under which it showed itself.")),
            ("platform", ApiSchemas.Words<Platform>("What kind of page the meeting was.")),
            ("metadata", ApiSchemas.StoredMetadata()),
            ("reason", ApiSchemas.Words<EndReason>("Why it ended.")),
            ("complete", new() { Type = JsonSchemaType.Boolean, Description = "The recorder ended by its own will, and the recording has neither gaps nor damage." }),
            ("startedAt", ApiSchemas.Time("Wall-clock time of the first sample; absent where no chunk tells it.")),
            ("endedAt", ApiSchemas.Time("Wall-clock time of the end.")),
            ("durationSeconds", ApiSchemas.Seconds("Its length, as decoded.")),
            ("audibleSeconds", ApiSchemas.Seconds("How much of it is not silent, as decoded.")),
            ("format", ApiSchemas.Text("Its format: ogg (Opus).")),
            ("bytes", ApiSchemas.Whole("The file's size.", 0)),
            ("sha256", Hash("Of the file.")),
            ("chunks", List("What the recording was put together from, in order.", chunk)),
            ("gaps", List("Where nothing could be captured or kept; silence in the recording.", Gap())),
            ("speakers", List("Who spoke when, in order of their first words; empty where the recorder did not tell.", speaker)),
            ("tracks", List("The tracks that were kept alone as well; empty where that was not asked for.", track)),
            ("ignored", List("What else lay in the session's folder and is not in the recording.", ignored)),
            ("damaged", List("The chunks of which something could not be read, which are kept as they were found, by their names.", ApiSchemas.Text("A file's name."))));
        manifest.Required = manifest.Properties!.Keys.Except(["reason", "startedAt", "endedAt"]).ToHashSet();
        document.AddComponent(Name, manifest);
    }

    private static OpenApiSchema Gap()
    {
        var gap = ApiSchemas.Object(
            "A stretch in which nothing could be captured, or not everything that was received.",
            ("startSeconds", ApiSchemas.Seconds("From here, in seconds from the start of the recording.")),
            ("endSeconds", ApiSchemas.Seconds("To here.")),
            ("cause", ApiSchemas.Text($"Why, in one machine word: {string.Join(", ", GapCause.All.Order())}.")));
        ApiSchemas.RequireAll(gap);
        return gap;
    }

    private static OpenApiSchema Hash(string description) => ApiSchemas.Text($"SHA-256, in hexadecimal. {description}", pattern: "^[0-9a-f]{64}$");

    private static OpenApiSchema List(string description, OpenApiSchema items) =>
        new() { Type = JsonSchemaType.Array, Description = description, Items = items };
}
