using StackExchange.Redis;

namespace NewarBots.Manager.Bots.Storage;

/// <summary>The scripts that change more than one key in one step; each names its parameters, which are properties of the object it is run with.</summary>
internal static class BotScripts
{
    public static readonly LuaScript Create = Load("create");
    public static readonly LuaScript Start = Load("start");
    public static readonly LuaScript Update = Load("update");
    public static readonly LuaScript Delete = Load("delete");
    public static readonly LuaScript Adopt = Load("adopt");
    public static readonly LuaScript Changes = Load("changes");
    public static readonly LuaScript Index = Load("index");
    public static readonly LuaScript BeginRecovery = Load("begin-recovery");
    public static readonly LuaScript CompleteRecovery = Load("complete-recovery");
    public static readonly LuaScript ForgetUnreadable = Load("forget-unreadable");
    public static readonly LuaScript FreePlaces = Load("free-places");
    public static readonly LuaScript FreeClaim = Load("free-claim");

    private static LuaScript Load(string name)
    {
        using var resource = typeof(BotScripts).Assembly.GetManifestResourceStream($"bots/{name}.lua")!;
        using var reader = new StreamReader(resource);
        return LuaScript.Prepare(reader.ReadToEnd());
    }
}
