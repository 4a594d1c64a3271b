using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Chat;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Dialects.OpenAi;

/// <summary><c>POST /v1/embeddings</c>, from a client and to a provider.</summary>
internal static class OpenAiEmbeddings
{
    private const int MaxInputs = 2048;

    public static EmbeddingRequest ReadRequest(ReadOnlyMemory<byte> body)
    {
        using var document = JsonBody.Open(body);
        var root = new Node(document.RootElement);
        var model = root.Need("model");
        var format = root.Get("encoding_format");
        var request = new EmbeddingRequest(
            model.Text(atMost: 512) is { Length: > 0 } name ? name : throw model.Wrong("must not be empty"), ReadInputs(root.Need("input")))
        {
            Dimensions = root.Get("dimensions")?.Integer(1, 65_536),
            Base64 = format?.Text() switch
            {
                null or "float" => false,
                "base64" => true,
                _ => throw format!.NotOneOf("'float', 'base64'"),
            },
        };
        // It goes on as it stands, but a wrong one is refused here.
        _ = root.Get("user")?.Text();
        return request;
    }

    /// <summary>For a provider that refuses fields it does not know: nothing but what has a meaning for it.</summary>
    public static void WriteRequest(EmbeddingRequest request, DialectTarget target, IBufferWriter<byte> output)
    {
        if (request.Inputs.Any(input => input.Text is null))
        {
            throw Failure.Invalid("This provider embeds text only, not tokens", "input", "unsupported_content");
        }
        var json = JsonOutput.Open(output);
        json.WriteStartObject();
        json.WriteString("model", target.Model);
        json.WriteStartArray("input");
        foreach (var input in request.Inputs)
        {
            json.WriteStringValue(input.Text);
        }
        json.WriteEndArray();
        json.WriteIfAny(target.Traits.Dimensions, request.Dimensions);
        json.WriteEndObject();
        JsonOutput.Close(json);
    }

    public static EmbeddingAnswer ReadAnswer(ReadOnlyMemory<byte> body, EmbeddingRequest request)
    {
        using var document = JsonBody.OpenAnswer(body);
        var root = document.RootElement;
        if (root.Member("error").IsPresent())
        {
            throw OpenAiErrors.Map(new(200), root);
        }
        var vectors = new float[request.Inputs.Count][];
        var next = 0;
        foreach (var item in root.ItemsOf("data"))
        {
            var place = item.Member("index") is { ValueKind: JsonValueKind.Number } number
                && number.TryGetInt32(out var index) ? index : next;
            if (place < 0 || place >= vectors.Length)
            {
                throw ProviderRefusals.Unreadable("an embedding has an index out of range");
            }
            vectors[place] = ReadVector(item.Member("embedding"));
            next++;
        }
        if (vectors.Any(vector => vector is null))
        {
            throw ProviderRefusals.Unreadable("an embedding is missing");
        }
        var usage = root.Member("usage");
        return new(
            root.TextOf("model") is { Length: > 0 } model ? model : request.Model,
            vectors,
            usage.ValueKind == JsonValueKind.Object && OpenAiUsage.TryReadUsage(JsonMarshal.GetRawUtf8Value(usage), out var tokens)
                ? tokens with { Output = 0 }
                : new(TokenEstimate.Of(request), 0, Estimated: true));
    }

    public static void WriteAnswer(EmbeddingAnswer answer, EmbeddingRequest request, IBufferWriter<byte> output)
    {
        var json = JsonOutput.Open(output);
        json.WriteStartObject();
        json.WriteString("object", "list");
        json.WriteStartArray("data");
        for (var index = 0; index < answer.Vectors.Count; index++)
        {
            json.WriteStartObject();
            json.WriteString("object", "embedding");
            json.WriteNumber("index", index);
            json.WritePropertyName("embedding");
            WriteVector(json, answer.Vectors[index], request.Base64);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteString("model", answer.Model);
        json.WriteStartObject("usage");
        json.WriteNumber("prompt_tokens", answer.Usage.Input);
        json.WriteNumber("total_tokens", answer.Usage.Input);
        json.WriteEndObject();
        json.WriteEndObject();
        JsonOutput.Close(json);
    }

    private static List<EmbeddingInput> ReadInputs(Node input)
    {
        if (input.IsText)
        {
            return [new(NotEmpty(input), null)];
        }
        var items = input.Items(atLeast: 1);

        // A flat list of numbers is one input made of tokens.
        if (items[0].Element.ValueKind == JsonValueKind.Number)
        {
            return [new(null, ReadTokens(input))];
        }
        return input.Items(atLeast: 1, atMost: MaxInputs)
            .ConvertAll(item => item.IsArray ? new EmbeddingInput(null, ReadTokens(item)) : new EmbeddingInput(NotEmpty(item), null));
    }

    private static string NotEmpty(Node text) => text.Text() is { Length: > 0 } words ? words : throw text.Wrong("must not be empty");

    private static List<int> ReadTokens(Node list) => list.Items(atLeast: 1).ConvertAll(token => token.Integer(0));

    private static float[] ReadVector(JsonElement embedding)
    {
        if (embedding.ValueKind == JsonValueKind.Array && embedding.GetArrayLength() > 0)
        {
            return [.. embedding.EnumerateArray().Select(number =>
                number.ValueKind == JsonValueKind.Number && number.TryGetSingle(out var value)
                    ? value
                    : throw ProviderRefusals.Unreadable("an embedding holds no numbers"))];
        }
        if (embedding.ValueKind != JsonValueKind.String || !embedding.TryGetBytesFromBase64(out var bytes)
            || bytes.Length is 0 || bytes.Length % 4 != 0)
        {
            throw ProviderRefusals.Unreadable("an embedding is neither numbers nor base64");
        }
        var vector = new float[bytes.Length / 4];
        for (var i = 0; i < vector.Length; i++)
        {
            vector[i] = BinaryPrimitives.ReadSingleLittleEndian(bytes.AsSpan(i * 4));
        }
        return vector;
    }

    private static void WriteVector(Utf8JsonWriter json, float[] vector, bool isBase64)
    {
        if (isBase64)
        {
            var bytes = new byte[vector.Length * 4];
            for (var i = 0; i < vector.Length; i++)
            {
                BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(i * 4), vector[i]);
            }
            json.WriteBase64StringValue(bytes);
            return;
        }
        json.WriteStartArray();
        foreach (var number in vector)
        {
            json.WriteNumberValue(float.IsFinite(number) ? number : 0);
        }
        json.WriteEndArray();
    }
}
