using System.Buffers;
using System.Text.Json;
using Stoa.Gateway.Bytes;

namespace Stoa.Gateway.Dialects.OpenAi;

/// <summary>The bodies of <c>GET /v1/models</c>, and what we know of OpenAI's own models.</summary>
internal static class OpenAiModels
{
    /// <summary>Whether OpenAI's model of that name takes a reasoning effort and a developer message.</summary>
    public static bool Reasons(string model)
    {
        var name = model.AsSpan(model.LastIndexOf('/') + 1);
        return name switch
        {
            ['o', >= '1' and <= '9', ..] => true,
            ['g', 'p', 't', '-', >= '5' and <= '9', ..] => !name.Contains("-chat", StringComparison.Ordinal),
            _ => false,
        };
    }

    public static void WriteList(IReadOnlyList<ModelEntry> models, IBufferWriter<byte> output)
    {
        var json = JsonOutput.Open(output);
        json.WriteStartObject();
        json.WriteString("object", "list");
        json.WriteStartArray("data");
        foreach (var model in models)
        {
            Write(json, model);
        }
        json.WriteEndArray();
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
        json.WriteString("id", model.Id);
        json.WriteString("object", "model");
        json.WriteNumber("created", model.Created);
        json.WriteString("owned_by", model.Provider);
        json.WriteEndObject();
    }
}
