namespace NewarBots.Manager.Recordings.Transcripts;

internal static class TranscriptsRegistration
{
    public static TBuilder AddTranscripts<TBuilder>(this TBuilder builder) where TBuilder : IHostApplicationBuilder
    {
        builder.Services.AddSingleton<SpeechServer>();
        builder.Services.AddSingleton<TranscriptMaker>();
        builder.Services.AddSingleton<TranscriptWorker>();
        builder.Services.AddHostedService(services => services.GetRequiredService<TranscriptWorker>());
        builder.Services.AddHostedService<TranscriptNotifier>();
        return builder;
    }
}
