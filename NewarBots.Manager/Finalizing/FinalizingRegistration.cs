using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace NewarBots.Manager.Finalizing;

internal static class FinalizingRegistration
{
    /// <summary>
    /// What makes recordings of chunks, and health checks named <c>ffmpeg</c> and <c>recordings</c>. Needs <see cref="Contract.StorageLayout"/>.
    /// </summary>
    public static TBuilder AddFinalizing<TBuilder>(this TBuilder builder) where TBuilder : IHostApplicationBuilder
    {
        builder.Services.AddSingleton<IValidateOptions<FinalizingOptions>, FinalizingOptionsValidator>();
        builder.Services.AddOptions<FinalizingOptions>().BindConfiguration(FinalizingOptions.Section).ValidateOnStart();
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<FFmpeg>();
        builder.Services.AddSingleton<FFmpegConcatenator>();
        builder.Services.AddSingleton<FFmpegVerifier>();
        builder.Services.AddSingleton<AudioAssembler>();
        builder.Services.AddSingleton<TrackAssembler>();
        builder.Services.AddSingleton<RecordingConverter>();
        builder.Services.AddSingleton<RecordingSoFar>();
        builder.Services.AddSingleton<EvidenceFolder>();
        builder.Services.AddSingleton<RecordingFinalizer>();
        builder.Services.AddSingleton<Postponements>();
        builder.Services.AddSingleton<EndedBots>();
        builder.Services.AddHostedService(services => services.GetRequiredService<EndedBots>());
        builder.Services.AddHealthChecks().AddCheck<FFmpegHealthCheck>("ffmpeg").AddCheck<PostponementsHealthCheck>("recordings");
        return builder;
    }
}
