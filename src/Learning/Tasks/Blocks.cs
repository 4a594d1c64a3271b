using System.Globalization;
using System.Text.Json.Nodes;
using Stoa.Learning.Wire;

namespace Stoa.Learning.Tasks;

/// <summary>
/// Documents of the front end's editor: lists of blocks. They are kept as they come, except that each block of the first level has an id,
/// and says where it stands; the editor breaks without.
/// </summary>
internal sealed class Blocks(TimeProvider time)
{
    /// <param name="field">Where the list stands in the body, for what is wrong with it.</param>
    /// <exception cref="Platform.Http.Failure">422: something in it is no block.</exception>
    public JsonArray Normalize(JsonArray blocks, params ReadOnlySpan<object> field)
    {
        for (var index = 0; index < blocks.Count; index++)
        {
            if (blocks[index] is not JsonObject block || block["type"] is not JsonValue type || !type.TryGetValue<string>(out _))
            {
                throw WireErrors.Value("each block must be an object with a type", [.. field, index]);
            }
            if (block["id"] is not JsonValue id || !id.TryGetValue<string>(out var text) || text.Length == 0)
            {
                block["id"] = Guid.CreateVersion7(time.GetUtcNow()).ToString("D", CultureInfo.InvariantCulture);
            }
            block["props"] ??= new JsonObject();
            block["content"] ??= new JsonArray();
            block["children"] ??= new JsonArray();
            block["position"] = index;
        }
        return blocks;
    }

    /// <summary>A knowledge base: <c>{blocks, linkedMaterialIds}</c>.</summary>
    public JsonObject? NormalizeContext(JsonObject? context, params ReadOnlySpan<object> field)
    {
        if (context?["blocks"] is JsonArray blocks)
        {
            Normalize(blocks, [.. field, "blocks"]);
        }
        return context;
    }

    public static JsonArray Read(string? stored) => stored is null ? [] : JsonNode.Parse(stored) as JsonArray ?? [];

    public static JsonNode? ReadAny(string? stored) => stored is null ? null : JsonNode.Parse(stored);
}
