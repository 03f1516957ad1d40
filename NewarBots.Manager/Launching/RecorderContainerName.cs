using NewarBots.Contract;

namespace NewarBots.Manager.Launching;

internal static class RecorderContainerName
{
    public static string Of(SessionId id) => $"newar-bot-{id}";
}
