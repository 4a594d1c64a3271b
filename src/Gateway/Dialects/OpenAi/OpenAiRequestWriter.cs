using System.Buffers;
using System.Text.Json;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Chat;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Dialects.OpenAi;

/// <summary>A chat completion request for OpenAI or a server compatible with it.</summary>
internal static class OpenAiRequestWriter
{
    /// <exception cref="Failure">The provider cannot do what is asked, and leaving it out would change the meaning.</exception>
    public static void Write(ChatRequest request, DialectTarget target, IBufferWriter<byte> output)
    {
        var traits = target.Traits;
        if (request.N > 1 && !traits.TakesSeveral)
        {
            throw Failure.Invalid("This provider gives one answer only: n must be 1", "n", "unsupported_parameter");
        }
        var json = JsonOutput.Open(output);
        json.WriteStartObject();
        json.WriteString("model", target.Model);
        new OpenAiMessageWriter(json, request, target).Write();
        WriteSampling(json, request, traits);
        WriteTools(json, request, traits);
        WriteFormat(json, request, traits);
        OpenAiReasoningWish.Write(json, request, target);
        WriteIdentity(json, request, traits);
        WriteStream(json, request, traits);
        WriteExtra(json, request, traits);
        json.WriteEndObject();
        JsonOutput.Close(json);
    }

    private static void WriteSampling(Utf8JsonWriter json, ChatRequest request, ChatTraits traits)
    {
        json.WriteIfAny(traits.MaxOutput, request.MaxOutput);
        json.WriteIfAny(
            "temperature", request.Sampling.Temperature is { } temperature ? Math.Min(temperature, traits.MaxTemperature) : null);
        json.WriteIfAny("top_p", request.Sampling.TopP);
        json.WriteIfAny("frequency_penalty", request.Sampling.FrequencyPenalty);
        json.WriteIfAny("presence_penalty", request.Sampling.PresencePenalty);
        json.WriteIfAny(traits.Seed, request.Seed);
        json.WriteIfAny("n", request.N);
        if (traits.TakesTopK)
        {
            json.WriteIfAny("top_k", request.Sampling.TopK);
        }
        else if (request.Sampling.TopK is not null)
        {
            request.Warn("top_k dropped: OpenAI's dialect has none");
        }
        WriteStops(json, request, traits.MaxStops);
        if (request.Logprobs && traits.TakesLogprobs)
        {
            json.WriteBoolean("logprobs", true);
            json.WriteIfAny("top_logprobs", request.TopLogprobs);
        }
        else if (request.Logprobs)
        {
            request.Warn("logprobs dropped: the provider has none");
        }
    }

    private static void WriteStops(Utf8JsonWriter json, ChatRequest request, int most)
    {
        if (request.Stop.Count > 0)
        {
            json.WriteStartArray("stop");
            foreach (var stop in request.Stop.Take(most))
            {
                json.WriteStringValue(stop);
            }
            json.WriteEndArray();
        }
        if (request.Stop.Count > most)
        {
            request.Warn($"only the first {most} stop sequences sent");
        }
    }

    private static void WriteStream(Utf8JsonWriter json, ChatRequest request, ChatTraits traits)
    {
        if (request.Stream)
        {
            json.WriteBoolean("stream", true);
        }
        // Usage is always asked for: the answer is metered whether or not the client wants to see the figures.
        if (request.Stream && traits.Usage != UsageWish.None)
        {
            WriteFlag(json, "stream_options", "include_usage");
        }
        if (traits.Usage == UsageWish.Include)
        {
            WriteFlag(json, "usage", "include");
        }
    }

    private static void WriteFlag(Utf8JsonWriter json, string holder, string flag)
    {
        json.WriteStartObject(holder);
        json.WriteBoolean(flag, true);
        json.WriteEndObject();
    }

    private static void WriteTools(Utf8JsonWriter json, ChatRequest request, ChatTraits traits)
    {
        // Only OpenAI itself is sure to know allowed_tools; for others the list is cut instead.
        var choice = request.ToolChoice;
        var cut = choice?.Allowed is not null && !traits.TakesAllowedTools;
        var takesNative = request.Source == Dialect.OpenAi && traits.Forwards;
        var tools = request.Tools
            .Where(tool => tool.Native is null || takesNative)
            .Where(tool => !cut || choice!.Allowed!.Contains(tool.Name))
            .ToList();
        if (request.Tools.Any(tool => tool.Native is not null && !takesNative))
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
        if (choice is { Mode: ToolChoiceMode.Required } && traits.Demand is null)
        {
            request.Warn("tool_choice required sent as auto: the provider cannot demand a call");
            choice = choice with { Mode = ToolChoiceMode.Auto };
        }
        if (choice is not null)
        {
            json.WritePropertyName("tool_choice");
            WriteChoice(json, cut ? choice with { Allowed = null } : choice, tools, traits);
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

    private static void WriteChoice(Utf8JsonWriter json, ToolChoice choice, List<Tool> tools, ChatTraits traits)
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
                json.WriteStringValue(OpenAiFields.Word(choice.Mode, traits.Demand));
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

    private static void WriteFormat(Utf8JsonWriter json, ChatRequest request, ChatTraits traits)
    {
        if (request.Format is not { } format)
        {
            return;
        }
        json.WriteStartObject("response_format");
        if (format.Schema is { } schema && traits.TakesSchema)
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

    private static void WriteIdentity(Utf8JsonWriter json, ChatRequest request, ChatTraits traits)
    {
        if (traits.User is { } user)
        {
            json.WriteIfAny(user, request.UserId);
        }
        if (request.Metadata is { } metadata && traits.TakesMetadata)
        {
            json.WriteStartObject("metadata");
            foreach (var (key, value) in metadata)
            {
                json.WriteString(key, value);
            }
            json.WriteEndObject();
        }
        json.WriteIfAny("service_tier", request.ServiceTier is "standard_only" or "default" ? traits.DefaultTier : request.ServiceTier);
        if ((request.UserId is not null && traits.User is null) || (request.Metadata is not null && !traits.TakesMetadata))
        {
            request.Warn("user or metadata dropped: the provider has none");
        }
    }

    private static void WriteExtra(Utf8JsonWriter json, ChatRequest request, ChatTraits traits)
    {
        foreach (var field in request.Extra)
        {
            if (request.Source == Dialect.OpenAi && traits.TakesExtra(field.Name))
            {
                json.WriteElement(field.Name, field.Value);
            }
            else
            {
                request.Warn($"{field.Name} dropped: the provider has none");
            }
        }
    }
}
