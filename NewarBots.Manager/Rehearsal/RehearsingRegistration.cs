using NewarBots.Manager.Bots;

namespace NewarBots.Manager.Rehearsal;

internal static class RehearsalRegistration
{
    public static TBuilder AddRehearsal<TBuilder>(this TBuilder builder) where TBuilder : IHostApplicationBuilder
    {
        builder.Services.AddOptions<RehearsalOptions>()
            .Configure<IHostEnvironment>((options, environment) => options.Enabled = environment.IsDevelopment())
            .BindConfiguration(RehearsalOptions.Section);
        return builder;
    }
}
