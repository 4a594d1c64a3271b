using System.Buffers;
using System.Text.Json;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Chat;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Dialects.Gemini;

/// <summary><c>:batchEmbedContents</c>, which answers for one text as for many.</summary>
internal static class GeminiEmbeddings
{
    private const int MaxInputs = 100;

    public static void WriteRequest(EmbeddingRequest request, DialectTarget target, IBufferWriter<byte> output)
    {
        if (request.Inputs.Count > MaxInputs)
        {
            throw Failure.Invalid($"This provider embeds at most {MaxInputs} texts at a time.", "input", "unsupported_parameter");
        }
        if (request.Inputs.Any(input => input.Text is null))
        {
            throw Failure.Invalid("This provider embeds texts, not tokens.", "input", "unsupported_parameter");
        }
        var json = JsonOutput.Open(output);
        json.WriteStartObject();
        json.WriteStartArray("requests");
        foreach (var input in request.Inputs)
        {
            json.WriteStartObject();
            json.WriteString("model", $"models/{target.Model}");
            json.WriteStartObject("content");
            json.WriteStartArray("parts");
            json.WriteStartObject();
            json.WriteString("text", input.Text);
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteIfAny("outputDimensionality", request.Dimensions);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
        JsonOutput.Close(json);
    }

    public static EmbeddingAnswer ReadAnswer(ReadOnlyMemory<byte> body, EmbeddingRequest request, DialectTarget target)
    {
        using var document = JsonBody.OpenAnswer(body);
        var root = document.RootElement;
        if (root.Member("error").IsPresent())
        {
            throw GeminiErrors.Map(new(200), root);
        }
        var vectors = root.ItemsOf("embeddings").Select(embedding => ReadVector(embedding.ItemsOf("values"))).ToList();
        if (vectors.Count != request.Inputs.Count)
        {
            throw ProviderRefusals.Unreadable("an embedding is missing");
        }
        var usage = GeminiAnswers.UsageOf(root.Member("usageMetadata"));
        var input = usage?.Input ?? TokenEstimate.Of(request);
        return new(target.Model, vectors, new(input, 0, Estimated: usage is null));
    }

    private static float[] ReadVector(IEnumerable<JsonElement> values)
    {
        float[] vector = [.. values.Select(number =>
            number.ValueKind == JsonValueKind.Number && number.TryGetSingle(out var value)
                ? value
                : throw ProviderRefusals.Unreadable("an embedding holds no numbers"))];
        return vector.Length > 0 ? vector : throw ProviderRefusals.Unreadable("an embedding is empty");
    }
}
