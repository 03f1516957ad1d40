using NewarBots.Manager.Bots.Storage;

namespace NewarBots.Manager.Webhooks;

internal static class WebhooksRegistration
{
    public static IHostApplicationBuilder AddWebhooks(this IHostApplicationBuilder builder)
    {
        builder.Services.AddOptions<WebhookOptions>().BindConfiguration(WebhookOptions.Section);
        builder.Services.AddSingleton<WebhookFiles>();
        builder.Services.AddSingleton<WebhookOutbox>();
        builder.Services.AddSingleton<IBotOutbox>(services => services.GetRequiredService<WebhookOutbox>());
        builder.Services.AddSingleton<DeliveryStore>();
        builder.Services.AddSingleton<WebhookSender>();
        builder.Services.AddHostedService<WebhookDispatcher>();
        return builder;
    }
}
