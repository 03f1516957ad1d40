using NewarBots.Contract;

namespace NewarBots.Recorder.Joining;

/// <summary>The selector pack that is built into the program: for Google Meet.</summary>
internal static class EmbeddedSelectors
{
    private static readonly SelectorPack Pack = SelectorPack.Parse(EmbeddedText.Read("Joining.selectors.json"));

    extension(SelectorPack)
    {
        public static SelectorPack Embedded => Pack;
    }
}
