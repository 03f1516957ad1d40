namespace NewarBots.Manager.Rehearsal;

/// <summary>
/// The voices of the rehearsals: each participant's tone encodes the second of the meeting. Every voice has its own frequency band, so
/// that all of them can be decoded from a mix.
/// </summary>
internal static class TimeCode
{
    /// <summary>Peak of one voice; full scale is 1. Four voices together do not clip.</summary>
    public const double Level = 0.15;

    /// <summary>
    /// By participant. They repeat after 11, 13, 17 and 19 s, which are coprime: two voices identify the second within two minutes, three
    /// within forty.
    /// </summary>
    public static IReadOnlyList<TimeCodeVoice> Voices { get; } =
    [
        new(Base: 400, Step: 40, Seconds: 11),
        new(Base: 1000, Step: 50, Seconds: 13),
        new(Base: 1900, Step: 60, Seconds: 17),
        new(Base: 3200, Step: 80, Seconds: 19),
    ];
}

/// <param name="Base">The frequency in second 0, in Hz.</param>
/// <param name="Step">The difference from one second to the next, in Hz.</param>
/// <param name="Seconds">The period of the tones, in seconds.</param>
internal sealed record TimeCodeVoice(int Base, int Step, int Seconds)
{
    /// <param name="second">Whole seconds since the start of the meeting.</param>
    /// <returns>The frequency in Hz.</returns>
    public int FrequencyAt(long second) => Base + Step * (int)(second % Seconds);
}
