using System.Text;
using System.Text.Json.Nodes;
using NewarBots.Contract;

namespace NewarBots.Bench;

/// <summary>Commands that a compromised recorder sends to Redis from its container, over eight connections, with the Redis user of its bot.</summary>
internal static class HostileRedis
{
    /// <summary>Repeats each of the two files on four connections. The answers of one half are never read.</summary>
    private const string Script = """
        cd "$1"
        flood() {
          while :; do
            if exec 3<>"/dev/tcp/$2"; then
              [ $(($1 % 2)) = 0 ] || cat <&3 >/dev/null &
              cat login >&3
              while cat "$3" >&3; do :; done
            fi
            sleep 0.1
          done
        }
        for number in 1 2 3 4; do
          flood $number "$2" messages 2>/dev/null &
          flood $number "$2" arguments 2>/dev/null &
        done
        wait
        """;

    public static async Task FloodAsync(Docker docker, HostileBot bot, CancellationToken cancellation)
    {
        bot.Files.Write("login", Command("AUTH", bot.RedisUser.User, bot.RedisUser.Password));
        bot.Files.Write("messages", Command("PUBLISH", RedisNames.StatusChannel(bot.Id), new string('x', 60_000)));
        bot.Files.Write("arguments", Encoding.ASCII.GetBytes($"*2000000000\r\n{string.Concat(Enumerable.Repeat("$0\r\n\r\n", 10_000))}"));
        await bot.Files.GiveToRecorderAsync();
        var command = new JsonArray("bash", "-c", Script, "bash", RecorderEnvironment.SessionFolderInContainer, bot.RedisEndPoint);
        var execution = await docker.PostAsync($"/containers/newar-bot-{bot.Id}/exec", new JsonObject { ["Cmd"] = command }, cancellation);
        await docker.PostAsync($"/exec/{execution!["Id"]}/start", new JsonObject { ["Detach"] = true }, cancellation);
    }

    private static byte[] Command(params string[] words) =>
        Encoding.ASCII.GetBytes($"*{words.Length}\r\n{string.Concat(words.Select(word => $"${word.Length}\r\n{word}\r\n"))}");
}
