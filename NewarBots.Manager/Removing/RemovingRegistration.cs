namespace NewarBots.Manager.Removing;

internal static class RemovingRegistration
{
    public static IHostApplicationBuilder AddRemoving(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<BotLog>();
        builder.Services.AddSingleton<BotRemover>();
        return builder;
    }
}
