using NewarBots.Contract;

namespace NewarBots.Manager.Bots;

internal static class RecorderContainerName
{
    public static string Of(SessionId id) => $"newar-bot-{id}";
}
