using System.Text.Json;
using NewarBots.Manager.Api;

namespace NewarBots.Manager.Bots.Transcripts;

/// <summary>The member <c>transcript</c> of a request for a bot.</summary>
internal sealed record TranscriptChoice(bool? IsEnabled, string? Language)
{
    public const string LanguageFault = "must be a language such as en or pt-BR";

    public static TranscriptChoice Read(JsonElement value, FaultList faults)
    {
        var choice = new TranscriptChoice(IsEnabled: null, Language: null);
        if (value.ValueKind is not JsonValueKind.Object)
        {
            faults.Add("transcript", "must be an object with enabled and language");
            return choice;
        }

        foreach (var property in value.EnumerateObject())
        {
            switch (property.Name)
            {
                case "enabled" or "language" when property.Value.ValueKind is JsonValueKind.Null:
                    break;
                case "enabled" when property.Value.ValueKind is JsonValueKind.True or JsonValueKind.False:
                    choice = choice with { IsEnabled = property.Value.GetBoolean() };
                    break;
                case "enabled":
                    faults.Add("transcript.enabled", "must be true or false");
                    break;
                case "language":
                    choice = choice with { Language = ReadLanguage(property.Value, faults) };
                    break;
                default:
                    faults.Add($"transcript.{RequestBody.FieldName(property.Name)}", "is not a member of transcript");
                    break;
            }
        }

        return choice;
    }

    /// <returns>Why the choice cannot be met; <see langword="null"/> if it can.</returns>
    public static string? FindFault(TranscriptChoice? choice, TranscriptionOptions options) => choice?.IsEnabled is true && !options.IsOn
        ? "needs a speech server, and the operator has set none (Transcription:Endpoint)"
        : null;

    /// <returns><see langword="null"/> if the bot's recording is not to be transcribed.</returns>
    public static TranscriptWish? WishOf(TranscriptChoice? choice, TranscriptionOptions options) =>
        choice?.IsEnabled ?? options.IsOn ? new(choice?.Language) : null;

    private static string? ReadLanguage(JsonElement value, FaultList faults)
    {
        var language = RequestBody.ReadString(value, "transcript.language", faults);
        if (language is not null && !TranscriptionOptions.IsLanguage(language))
            faults.Add("transcript.language", LanguageFault);
        return language;
    }
}
