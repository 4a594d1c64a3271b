using System.Buffers;
using System.Text.Json;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Dialects.OpenAi;

/// <summary>A chat completion request for OpenAI or a server compatible with it.</summary>
internal static class OpenAiRequestWriter
{
    private const int MaxStops = 4;

    public static void Write(ChatRequest request, DialectTarget target, IBufferWriter<byte> output)
    {
        var json = JsonOutput.Open(output);
        json.WriteStartObject();
        json.WriteString("model", target.Model);
        OpenAiMessageWriter.Write(json, request, target);
        WriteSampling(json, request, target);
        WriteTools(json, request, target);
        WriteFormat(json, request.Format);
        WriteReasoning(json, request, target);
        WriteIdentity(json, request, target);
        if (request.Stream)
        {
            json.WriteBoolean("stream", true);

            // Usage is always asked for: the answer is metered whether or not the client wants to see the figures.
            json.WriteStartObject("stream_options");
            json.WriteBoolean("include_usage", true);
            json.WriteEndObject();
        }
        WriteExtra(json, request);
        json.WriteEndObject();
        JsonOutput.Close(json);
    }

    private static void WriteSampling(Utf8JsonWriter json, ChatRequest request, DialectTarget target)
    {
        json.WriteIfAny(target.Genuine ? "max_completion_tokens" : "max_tokens", request.MaxOutput);
        json.WriteIfAny("temperature", request.Sampling.Temperature);
        json.WriteIfAny("top_p", request.Sampling.TopP);
        json.WriteIfAny("frequency_penalty", request.Sampling.FrequencyPenalty);
        json.WriteIfAny("presence_penalty", request.Sampling.PresencePenalty);
        json.WriteIfAny("seed", request.Seed);
        json.WriteIfAny("n", request.N);
        if (request.Sampling.TopK is not null)
        {
            request.Warn("top_k dropped: OpenAI's dialect has none");
        }
        if (request.Stop.Count > 0)
        {
            json.WriteStartArray("stop");
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
        if (request.Logprobs)
        {
            json.WriteBoolean("logprobs", true);
            json.WriteIfAny("top_logprobs", request.TopLogprobs);
        }
    }

    private static void WriteTools(Utf8JsonWriter json, ChatRequest request, DialectTarget target)
    {
        // Only OpenAI itself is sure to know allowed_tools; for others the list is cut instead.
        var choice = request.ToolChoice;
        var cut = choice?.Allowed is not null && !target.Genuine;
        var tools = request.Tools
            .Where(tool => tool.Native is null || request.Source == Dialect.OpenAi)
            .Where(tool => !cut || choice!.Allowed!.Contains(tool.Name))
            .ToList();
        if (request.Tools.Any(tool => tool.Native is not null && request.Source != Dialect.OpenAi))
        {
            request.Warn("provider-specific tools dropped");
        }
        if (tools.Count == 0)
        {
            return;
        }

        json.WriteStartArray("tools");
        foreach (var tool in tools)
        {
            WriteTool(json, tool);
        }
        json.WriteEndArray();
        if (choice is not null)
        {
            json.WritePropertyName("tool_choice");
            WriteChoice(json, cut ? choice with { Allowed = null } : choice, tools);
        }
        json.WriteIfAny("parallel_tool_calls", request.Parallel);
    }

    private static void WriteTool(Utf8JsonWriter json, Tool tool)
    {
        if (tool.Native is { } native)
        {
            native.WriteTo(json);
            return;
        }
        json.WriteStartObject();
        json.WriteString("type", "function");
        json.WriteStartObject("function");
        json.WriteString("name", ToolNames.Alias(tool.Name, ToolNames.OpenAiLimit));
        json.WriteIfAny("description", tool.Description);
        if (tool.Schema is { } schema)
        {
            json.WriteElement("parameters", schema);
        }
        json.WriteIfAny("strict", tool.Strict);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteChoice(Utf8JsonWriter json, ToolChoice choice, List<Tool> tools)
    {
        switch (choice)
        {
            case { Mode: ToolChoiceMode.One, Name: { } name }:
                WriteReference(json, name, tools);
                break;
            case { Allowed: { } allowed }:
                json.WriteStartObject();
                json.WriteString("type", "allowed_tools");
                json.WriteStartObject("allowed_tools");
                json.WriteString("mode", choice.Mode == ToolChoiceMode.Required ? "required" : "auto");
                json.WriteStartArray("tools");
                foreach (var name in allowed)
                {
                    WriteReference(json, name, tools);
                }
                json.WriteEndArray();
                json.WriteEndObject();
                json.WriteEndObject();
                break;
            default:
                json.WriteStringValue(choice.Mode switch
                {
                    ToolChoiceMode.None => "none",
                    ToolChoiceMode.Required => "required",
                    ToolChoiceMode.Auto or ToolChoiceMode.One => "auto",
                });
                break;
        }
    }

    private static void WriteReference(Utf8JsonWriter json, string name, List<Tool> tools)
    {
        var type = tools.Exists(tool => tool.Name == name && tool.Native is not null) ? "custom" : "function";
        json.WriteStartObject();
        json.WriteString("type", type);
        json.WriteStartObject(type);
        json.WriteString("name", ToolNames.Alias(name, ToolNames.OpenAiLimit));
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteFormat(Utf8JsonWriter json, AnswerFormat? format)
    {
        if (format is null)
        {
            return;
        }
        json.WriteStartObject("response_format");
        if (format.Schema is { } schema)
        {
            json.WriteString("type", "json_schema");
            json.WriteStartObject("json_schema");
            json.WriteString("name", format.Name ?? "response");
            json.WriteIfAny("description", format.Description);
            json.WriteElement("schema", schema);
            json.WriteIfAny("strict", format.Strict);
            json.WriteEndObject();
        }
        else
        {
            json.WriteString("type", "json_object");
        }
        json.WriteEndObject();
    }

    private static void WriteReasoning(Utf8JsonWriter json, ChatRequest request, DialectTarget target)
    {
        if (request.Reasoning?.NearestEffort is not { } effort)
        {
            return;
        }
        if (target.Genuine && !OpenAiModels.Reasons(target.Model))
        {
            request.Warn("reasoning dropped: the model does not reason");
            return;
        }
        json.WriteString("reasoning_effort", Word(effort));
    }

    public static string Word(Effort effort) => effort switch
    {
        Effort.None => "none",
        Effort.Minimal => "minimal",
        Effort.Low => "low",
        Effort.Medium => "medium",
        Effort.High => "high",
        Effort.ExtraHigh or Effort.Max => "xhigh",
    };

    private static void WriteIdentity(Utf8JsonWriter json, ChatRequest request, DialectTarget target)
    {
        json.WriteIfAny(target.Genuine ? "safety_identifier" : "user", request.UserId);
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
    }

    private static void WriteExtra(Utf8JsonWriter json, ChatRequest request)
    {
        foreach (var field in request.Extra)
        {
            if (request.Source == Dialect.OpenAi)
            {
                json.WriteElement(field.Name, field.Value);
            }
            else
            {
                request.Warn($"{field.Name} dropped: OpenAI's dialect has none");
            }
        }
    }
}
