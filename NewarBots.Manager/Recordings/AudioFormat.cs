namespace NewarBots.Manager.Recordings;

/// <summary>What a recording can be had as, beside what it is.</summary>
/// <param name="Name">Also the file's extension.</param>
/// <param name="ContentType">As browsers know it.</param>
/// <param name="Encoding">FFmpeg's arguments for the output.</param>
internal sealed record AudioFormat(string Name, string ContentType, IReadOnlyList<string> Encoding)
{
    /// <summary>As it was recorded; nothing is converted.</summary>
    public static AudioFormat Ogg { get; } = new("ogg", "audio/ogg", []);

    /// <summary>Behind <see cref="Ogg"/>, all that are made of it.</summary>
    public static IReadOnlyList<AudioFormat> Converted { get; } =
    [
        new("mp3", "audio/mpeg", ["-c:a", "libmp3lame", "-b:a", "96k", "-f", "mp3"]),
        // The index comes first, so that a player begins before it has the whole file.
        new("m4a", "audio/mp4", ["-c:a", "aac", "-b:a", "96k", "-movflags", "+faststart", "-f", "ipod"]),
        // Beyond 4 GB (12 hours) a plain WAV cannot say how long it is.
        new("wav", "audio/wav", ["-c:a", "pcm_s16le", "-rf64", "auto", "-f", "wav"]),
        new("flac", "audio/flac", ["-c:a", "flac", "-sample_fmt", "s16", "-f", "flac"]),
    ];

    public static IReadOnlyList<AudioFormat> All { get; } = [Ogg, .. Converted];

    public static AudioFormat? Find(string name) => All.FirstOrDefault(format => format.Name == name);
}
