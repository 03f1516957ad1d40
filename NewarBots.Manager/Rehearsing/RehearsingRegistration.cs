namespace NewarBots.Manager.Rehearsing;

internal static class RehearsingRegistration
{
    public static TBuilder AddRehearsing<TBuilder>(this TBuilder builder) where TBuilder : IHostApplicationBuilder
    {
        builder.Services.AddOptions<RehearsalOptions>()
            .Configure<IHostEnvironment>((options, environment) => options.Enabled = environment.IsDevelopment())
            .BindConfiguration(RehearsalOptions.Section);
        return builder;
    }
}
