namespace NewarBots.Manager.Rehearsal;

/// <summary>
/// The sound of the rehearsal: one voice for each participant, whose tone tells the second of the meeting. The voices lie in
/// bands of their own, so that all can be read from a mix.
/// </summary>
internal static class TimeCode
{
    /// <summary>Peak of one voice, of full scale 1: four of them together do not clip.</summary>
    public const double Level = 0.15;

    /// <summary>
    /// By participant. They come round after 11, 13, 17 and 19 s, which have no common factor: two of them tell the second for
    /// two minutes, three of them for forty.
    /// </summary>
    public static IReadOnlyList<TimeCodeVoice> Voices { get; } =
    [
        new(Base: 400, Step: 40, Seconds: 11),
        new(Base: 1000, Step: 50, Seconds: 13),
        new(Base: 1900, Step: 60, Seconds: 17),
        new(Base: 3200, Step: 80, Seconds: 19),
    ];
}

/// <param name="Base">The tone of second 0, in Hz.</param>
/// <param name="Step">From one second's tone to the next one's, in Hz.</param>
/// <param name="Seconds">After so many seconds the tones come again.</param>
internal sealed record TimeCodeVoice(int Base, int Step, int Seconds)
{
    /// <param name="second">Whole seconds since the beginning of the meeting.</param>
    /// <returns>In Hz.</returns>
    public int FrequencyAt(long second) => Base + Step * (int)(second % Seconds);
}
