using System.Buffers;
using System.Text.Json;
using Stoa.Gateway.Bytes;

namespace Stoa.Gateway.Dialects.Anthropic;

/// <summary>The bodies of <c>GET /v1/models</c> for a client that sends <c>anthropic-version</c>.</summary>
internal static class AnthropicModels
{
    public static void WriteList(IReadOnlyList<ModelEntry> models, IBufferWriter<byte> output)
    {
        var json = JsonOutput.Open(output);
        json.WriteStartObject();
        json.WriteStartArray("data");
        foreach (var model in models)
        {
            Write(json, model);
        }
        json.WriteEndArray();
        json.WriteBoolean("has_more", value: false);
        json.WriteString("first_id", models.Count > 0 ? models[0].Id : null);
        json.WriteString("last_id", models.Count > 0 ? models[^1].Id : null);
        json.WriteEndObject();
        JsonOutput.Close(json);
    }

    public static void WriteOne(ModelEntry model, IBufferWriter<byte> output)
    {
        var json = JsonOutput.Open(output);
        Write(json, model);
        JsonOutput.Close(json);
    }

    private static void Write(Utf8JsonWriter json, ModelEntry model)
    {
        json.WriteStartObject();
        json.WriteString("type", "model");
        json.WriteString("id", model.Id);
        json.WriteString("display_name", model.Id);
        json.WriteString("created_at", DateTimeOffset.FromUnixTimeSeconds(model.Created).UtcDateTime);
        json.WriteEndObject();
    }
}
