using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace NewarBots.Manager.Recordings;

internal static class RecordingsRegistration
{
    /// <summary>Registers everything that makes recordings from chunks, and the health check <c>ffmpeg</c>. Requires <c>StorageLayout</c>.</summary>
    public static TBuilder AddRecordings<TBuilder>(this TBuilder builder) where TBuilder : IHostApplicationBuilder
    {
        builder.Services.AddSingleton<IValidateOptions<FinalizingOptions>, FinalizingOptionsValidator>();
        builder.Services.AddOptions<FinalizingOptions>().BindConfiguration(FinalizingOptions.Section).ValidateOnStart();
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(services => new ConfinedProcess(services.GetRequiredService<TimeProvider>()));
        builder.Services.AddSingleton<FFmpeg>();
        builder.Services.AddSingleton<FFmpegVersion>();
        builder.Services.AddSingleton<AssemblyProcess>();
        builder.Services.AddSingleton<DoubtedRecordings>();
        builder.Services.AddSingleton<RecordingConverter>();
        builder.Services.AddSingleton<PartialRecording>();
        builder.Services.AddSingleton<EvidenceFolder>();
        builder.Services.AddSingleton<RecordingFinalizer>();
        builder.Services.AddHealthChecks().AddCheck<FFmpegHealthCheck>("ffmpeg");
        return builder;
    }
}
