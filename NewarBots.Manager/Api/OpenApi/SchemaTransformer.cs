using System.ComponentModel;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using NewarBots.Contract;

namespace NewarBots.Manager.Api.OpenApi;

/// <summary>Corrects the generated schemas: required and nullable members, types with their own JSON converters, bounds.</summary>
internal static class SchemaTransformer
{
    private static readonly string[] Suffixes = ["Response", "Request", "Body"];

    /// <summary>The component's name: the type's without its suffix.</summary>
    public static string? NameOf(JsonTypeInfo type)
    {
        if (type.Type == typeof(JsonElement))
            return null;
        if (type.Type == typeof(Stream))
            return "Binary";
        var name = OpenApiOptions.CreateDefaultSchemaReferenceId(type);
        return Suffixes.FirstOrDefault(suffix => name?.EndsWith(suffix, StringComparison.Ordinal) is true) is { } suffix ? name![..^suffix.Length] : name;
    }

    public static Task TransformAsync(OpenApiSchema schema, OpenApiSchemaTransformerContext context, CancellationToken cancellation)
    {
        var type = Nullable.GetUnderlyingType(context.JsonTypeInfo.Type) ?? context.JsonTypeInfo.Type;
        if (type == typeof(SessionId))
            (schema.Type, schema.Pattern) = (JsonSchemaType.String, "^[0-9a-f]{32}$");
        else if (type == typeof(UserId))
            (schema.Type, schema.Pattern) = (JsonSchemaType.String, $"^[a-z0-9_-]{{1,{UserId.MaxLength}}}$");
        else if (type == typeof(JsonElement))
            schema.Type = JsonSchemaType.Object;
        else if (type.IsEnum)
            (schema.Type, schema.Enum) = (JsonSchemaType.String, [.. schema.Enum!.OfType<JsonValue>()]);

        if (context.JsonTypeInfo is { Kind: JsonTypeInfoKind.Object, PolymorphismOptions: null } && schema.Properties is not null)
        {
            schema.Type ??= JsonSchemaType.Object;
            var optional = context.JsonTypeInfo.Properties.Where(IsOptional).Select(property => property.Name);
            schema.Required = schema.Properties.Keys.Except(optional).ToHashSet();
        }

        if (context.JsonPropertyInfo is { } property)
            TransformProperty(schema, property);
        return Task.CompletedTask;
    }

    private static void TransformProperty(OpenApiSchema schema, JsonPropertyInfo property)
    {
        // Only requests may have null members; responses omit them.
        if (!IsOfRequest(property))
        {
            schema.Type &= ~JsonSchemaType.Null;
            schema.Metadata?.Remove("x-is-nullable-property");
            if (schema.Type is JsonSchemaType.Integer or JsonSchemaType.Number && property.Name is not ("level" or "startSeconds"))
                schema.Minimum ??= "0";
        }

        // Client generators treat members with a default value as required.
        if (schema.Default is { } value)
            schema.Description = $"{schema.Description} Default: {value.ToString()}.";
        schema.Default = null;
        schema.Metadata?.Remove("x-ref-default");

        if (property.DeclaringType == typeof(Problem) && property.Name is "type")
            schema.Enum = [.. ProblemTypes.All.Select(type => (JsonNode)type.Uri)];
        if (property.Name is "sha256")
            schema.Pattern = "^[0-9a-f]{64}$";
        if (Attribute<MaxEntriesAttribute>(property) is { } limits)
        {
            schema.MaxProperties = limits.Entries;
            schema.AdditionalProperties = new OpenApiSchema { Type = JsonSchemaType.String, MaxLength = limits.ValueLength };
        }
    }

    /// <summary>Only request records have this attribute, because only requests reject unknown members.</summary>
    private static bool IsOfRequest(JsonPropertyInfo property) => property.DeclaringType.IsDefined(typeof(JsonUnmappedMemberHandlingAttribute), inherit: false);

    private static bool IsOptional(JsonPropertyInfo property) =>
        property.IsGetNullable || Attribute<DefaultValueAttribute>(property) is not null || Attribute<OptionalAttribute>(property) is not null;

    private static T? Attribute<T>(JsonPropertyInfo property) where T : Attribute =>
        property.AttributeProvider?.GetCustomAttributes(typeof(T), inherit: false) is [T attribute, ..] ? attribute : null;
}
