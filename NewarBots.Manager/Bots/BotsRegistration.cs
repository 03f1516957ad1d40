using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using NewarBots.Manager.Bots.Events;
using NewarBots.Manager.Bots.Listing;
using NewarBots.Manager.Bots.Storage;
using NewarBots.Manager.Bots.Transcripts;

namespace NewarBots.Manager.Bots;

internal static class BotsRegistration
{
    /// <summary>The records of bots, their limits and their events.</summary>
    public static WebApplicationBuilder AddBots(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<IValidateOptions<BotCapacityOptions>, BotCapacityOptionsValidator>();
        builder.Services.AddOptions<BotCapacityOptions>().BindConfiguration(BotCapacityOptions.Section).ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<TranscriptionOptions>, TranscriptionOptionsValidator>();
        builder.Services.AddOptions<TranscriptionOptions>().BindConfiguration(TranscriptionOptions.Section).ValidateOnStart();
        builder.Services.AddOptions<MeetingOptions>().BindConfiguration(MeetingOptions.Section);
        builder.Services.TryAddSingleton<BotMetrics>();
        builder.Services.AddSingleton<BotRecords>();
        builder.Services.AddSingleton<BotQueries>();
        builder.Services.AddSingleton<BotCommands>();
        builder.Services.AddSingleton<BotRecordRecovery>();
        builder.Services.AddSingleton<LaunchSignal>();
        builder.Services.AddSingleton<ScheduleSignal>();
        builder.Services.AddSingleton<BotIndex>();
        builder.Services.AddHostedService<BotIndexing>();
        builder.Services.AddSingleton<BotLeases>();
        builder.Services.AddSingleton<BotNotifier>();
        builder.Services.AddSingleton<BotEvents>();
        builder.Services.AddSingleton<MeetingUrlPolicy>();
        builder.Services.AddSingleton<BotCreator>();
        builder.Services.AddSingleton<BotRequests>();
        builder.Services.AddSingleton(new TraceLinks(builder.Configuration));
        return builder;
    }
}
