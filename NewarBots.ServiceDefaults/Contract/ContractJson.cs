using System.Text.Json;
using System.Text.Json.Serialization;

namespace NewarBots.Contract;

/// <summary>The JSON of everything that crosses between the two processes or lies on disk: camelCase, absent rather than null.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    NumberHandling = JsonNumberHandling.Strict)]
[JsonSerializable(typeof(StatusMessage))]
[JsonSerializable(typeof(JournalLine))]
public sealed partial class ContractJson : JsonSerializerContext;
