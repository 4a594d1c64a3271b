using System.Buffers;
using System.Text.Json;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Chat;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Dialects.Gemini;

/// <summary>The body of <c>:generateContent</c> and <c>:streamGenerateContent</c>.</summary>
internal sealed class GeminiRequestWriter(ChatRequest request, GeminiModel model)
{
    private const int MaxStops = 5;
    private const int MaxCandidates = 8;

    public static void Write(ChatRequest request, DialectTarget target, IBufferWriter<byte> output)
    {
        if (request.N > MaxCandidates)
        {
            throw Failure.Invalid($"This provider gives at most {MaxCandidates} answers at a time.", "n", "unsupported_parameter");
        }
        var json = JsonOutput.Open(output);
        new GeminiRequestWriter(request, GeminiModel.Of(target.Model)).Write(json);
        JsonOutput.Close(json);
    }

    private void Write(Utf8JsonWriter json)
    {
        var contents = new GeminiContents(request, model);
        json.WriteStartObject();
        WriteSystem(json, contents);
        contents.Write(json);
        new GeminiTools(request, model).Write(json);
        json.WriteStartObject("generationConfig");
        WriteSampling(json);
        WriteFormat(json);
        new GeminiThinking(request, model).Write(json);
        WriteMediaResolution(json, contents);
        json.WriteEndObject();
        json.WriteEndObject();
        WarnOfDropped();
    }

    private void WriteSystem(Utf8JsonWriter json, GeminiContents contents)
    {
        var texts = request.System.Select(block => block.Text).Concat(contents.LateSystem).Where(text => !string.IsNullOrWhiteSpace(text));
        if (string.Join("\n\n", texts) is { Length: > 0 } system)
        {
            json.WriteStartObject("systemInstruction");
            json.WriteStartArray("parts");
            json.WriteStartObject();
            json.WriteString("text", system);
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteEndObject();
        }
    }

    private void WriteSampling(Utf8JsonWriter json)
    {
        var sampling = request.Sampling;
        json.WriteIfAny("maxOutputTokens", request.MaxOutput);
        json.WriteIfAny("temperature", sampling.Temperature);
        json.WriteIfAny("topP", sampling.TopP);
        json.WriteIfAny("topK", sampling.TopK);
        json.WriteIfAny("frequencyPenalty", sampling.FrequencyPenalty);
        json.WriteIfAny("presencePenalty", sampling.PresencePenalty);
        json.WriteIfAny("candidateCount", request.N);
        if (request.Seed is >= int.MinValue and <= int.MaxValue)
        {
            json.WriteIfAny("seed", request.Seed);
        }
        else if (request.Seed is not null)
        {
            request.Warn("seed dropped: the provider takes 32 bits");
        }
        if (request.Logprobs)
        {
            json.WriteBoolean("responseLogprobs", true);
            json.WriteIfAny("logprobs", request.TopLogprobs);
        }
        if (request.Stop.Count > 0)
        {
            json.WriteStartArray("stopSequences");
            foreach (var stop in request.Stop.Take(MaxStops))
            {
                json.WriteStringValue(stop);
            }
            json.WriteEndArray();
        }
        if (request.Stop.Count > MaxStops)
        {
            request.Warn($"only the first {MaxStops} stop sequences sent");
        }
    }

    private void WriteFormat(Utf8JsonWriter json)
    {
        if (request.Format is null)
        {
            return;
        }
        json.WriteString("responseMimeType", "application/json");
        if (request.Format.Schema is not { } schema)
        {
            return;
        }
        if (model.TakesJsonSchema)
        {
            json.WriteElement("responseJsonSchema", schema);
            return;
        }
        json.WritePropertyName("responseSchema");
        GeminiSchema.Write(json, schema, "response_format");
    }

    // The dialect has one setting for all pictures; what one of them needs, the others may have.
    private static void WriteMediaResolution(Utf8JsonWriter json, GeminiContents contents)
    {
        var details = contents.Images.Select(image => image.Detail).ToList();
        if (details.Contains("high"))
        {
            json.WriteString("mediaResolution", "MEDIA_RESOLUTION_HIGH");
        }
        else if (details.Count > 0 && details.TrueForAll(detail => detail == "low"))
        {
            json.WriteString("mediaResolution", "MEDIA_RESOLUTION_LOW");
        }
    }

    private void WarnOfDropped()
    {
        if (request.Parallel == false && request.Tools.Count > 0)
        {
            Drop("parallel_tool_calls");
        }
        if (request.UserId is not null)
        {
            Drop("user");
        }
        if (request.Metadata is not null)
        {
            Drop("metadata");
        }
        if (request.ServiceTier is not null)
        {
            Drop("service_tier");
        }
        foreach (var field in request.Extra.Where(field => field.Name != GeminiTools.SearchField))
        {
            Drop(field.Name);
        }

        void Drop(string field) => request.Warn($"{field} dropped: Gemini's dialect has none");
    }
}
