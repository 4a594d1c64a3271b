using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.OpenApi;

namespace Stoa.Assistants.Wire;

/// <summary>What a reader of arguments reads, for the API document: found out by letting it read nothing.</summary>
internal sealed class FieldsDocument
{
    public static readonly JsonElement Null = JsonElement.Parse("null");

    private readonly Dictionary<string, IOpenApiSchema> properties = new(StringComparer.Ordinal);
    private readonly HashSet<string> required = new(StringComparer.Ordinal);

    public static FieldsDocument Of(Action<Fields> read)
    {
        var document = new FieldsDocument();
        read(new(document));
        return document;
    }

    public OpenApiSchema Schema => new() { Type = JsonSchemaType.Object, Properties = properties, Required = required };

    public IEnumerable<IOpenApiParameter> Parameters => properties.Select(property => new OpenApiParameter
    {
        Name = property.Key, In = ParameterLocation.Query, Required = required.Contains(property.Key), Schema = property.Value,
    });

    public void AddObjects(string name, Action<Fields> describe)
    {
        properties[name] = new OpenApiSchema { Type = JsonSchemaType.Array, Items = Of(describe).Schema };
        required.Add(name);
    }

    public void AddFile(string name) => properties[name] = new OpenApiSchema { Type = JsonSchemaType.String, Format = "binary" };

    public void Add(
        string name, JsonSchemaType? type, bool isRequired, string? format = null, int most = int.MaxValue, string[]? words = null)
    {
        properties[name] = new OpenApiSchema
        {
            Type = type, Format = format, MaxLength = most == int.MaxValue ? null : most,
            Enum = words is null ? null : [.. words.Select(word => JsonValue.Create(word))],
        };
        if (isRequired)
        {
            required.Add(name);
        }
    }
}
