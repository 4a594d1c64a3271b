using System.Buffers;
using System.Text.Json;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Dialects.OpenAi;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Dialects.OpenAiResponses;

/// <summary>A request for OpenAI's Responses API. Nothing of it is kept there: what a client refers to later is kept here.</summary>
internal static class ResponsesRequestWriter
{
    public static void Write(ChatRequest request, DialectTarget target, IBufferWriter<byte> output)
    {
        if (request.N > 1)
        {
            throw Failure.Invalid("This provider gives one answer at a time.", "n", "unsupported_parameter");
        }
        var json = JsonOutput.Open(output);
        json.WriteStartObject();
        json.WriteString("model", target.Model);
        var system = string.Join("\n\n", request.System.Select(block => block.Text).Where(text => text.Length > 0));
        json.WriteIfAny("instructions", system.Length > 0 ? system : null);
        ResponsesItemWriter.Write(json, request);
        json.WriteIfAny("max_output_tokens", request.MaxOutput);
        json.WriteIfAny("temperature", request.Sampling.Temperature);
        json.WriteIfAny("top_p", request.Sampling.TopP);
        ResponsesTools.Write(json, request);
        WriteText(json, request);
        WriteReasoning(json, request, target);
        json.WriteIfAny("safety_identifier", request.UserId);
        if (request.Metadata is { } metadata)
        {
            json.WriteStartObject("metadata");
            foreach (var (key, value) in metadata)
            {
                json.WriteString(key, value);
            }
            json.WriteEndObject();
        }
        json.WriteIfAny("service_tier", request.ServiceTier == "standard_only" ? "default" : request.ServiceTier);
        json.WriteBoolean("store", false);
        if (request.Stream)
        {
            json.WriteBoolean("stream", true);
        }
        WriteRest(json, request, target);
        json.WriteEndObject();
        JsonOutput.Close(json);
    }

    private static void WriteText(Utf8JsonWriter json, ChatRequest request)
    {
        if (request.Format is not { } format)
        {
            return;
        }
        json.WriteStartObject("text");
        json.WriteStartObject("format");
        if (format.Schema is { } schema)
        {
            json.WriteString("type", "json_schema");
            json.WriteString("name", format.Name ?? "response");
            json.WriteIfAny("description", format.Description);
            json.WriteElement("schema", schema);
            json.WriteBoolean("strict", format.Strict ?? false);
        }
        else
        {
            json.WriteString("type", "json_object");
        }
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteReasoning(Utf8JsonWriter json, ChatRequest request, DialectTarget target)
    {
        if (target.Traits.KnowsItsModels && !OpenAiModels.Reasons(target.Model))
        {
            return;
        }
        if (request.Reasoning?.NearestEffort is { } effort)
        {
            json.WriteStartObject("reasoning");
            json.WriteString("effort", OpenAiReasoningWish.WordOf(effort));
            json.WriteEndObject();
        }
        // As nothing is kept there, its thoughts must come along to go back with the next request.
        json.WriteStartArray("include");
        json.WriteStringValue("reasoning.encrypted_content");
        json.WriteEndArray();
    }

    private static void WriteRest(Utf8JsonWriter json, ChatRequest request, DialectTarget target)
    {
        if (request.Logprobs)
        {
            json.WriteIfAny("top_logprobs", request.TopLogprobs ?? 1);
        }
        Drop(request.Stop.Count > 0, "stop");
        Drop(request.Seed is not null, "seed");
        Drop(request.Sampling.TopK is not null, "top_k");
        Drop(request.Sampling is { FrequencyPenalty: not null } or { PresencePenalty: not null }, "penalties");
        foreach (var field in request.Extra)
        {
            if (request.Source == Dialect.OpenAiResponses
                && (field.Name != "include" || (target.Traits.KnowsItsModels && !OpenAiModels.Reasons(target.Model))))
            {
                json.WriteElement(field.Name, field.Value);
            }
            else
            {
                Drop(request.Source != Dialect.OpenAiResponses, field.Name);
            }
        }

        void Drop(bool isSet, string name)
        {
            if (isSet)
            {
                request.Warn($"{name} dropped: the Responses API has none");
            }
        }
    }
}
