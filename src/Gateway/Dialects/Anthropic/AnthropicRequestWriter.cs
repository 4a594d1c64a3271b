using System.Buffers;
using System.Text.Json;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Chat;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Dialects.Anthropic;

/// <summary>A request of <c>POST /v1/messages</c> for a provider.</summary>
internal sealed class AnthropicRequestWriter(ChatRequest request, DialectTarget target)
{
    private const int DefaultMaxOutput = 4096;
    private const int LeastBudget = 1024;
    private const int WorthCaching = 1024;

    private readonly bool isNewer = AnthropicDialect.IsNewer(target.Version);

    public static void Write(ChatRequest request, DialectTarget target, IBufferWriter<byte> output)
    {
        if (request.N > 1)
        {
            throw Failure.Invalid("This provider gives one answer at a time; 'n' must be 1.", "n", "unsupported_parameter");
        }
        var json = JsonOutput.Open(output);
        new AnthropicRequestWriter(request, target).Write(json);
        JsonOutput.Close(json);
    }

    private void Write(Utf8JsonWriter json)
    {
        var messages = new AnthropicMessages(request, isNewer);
        var thinking = ThinkingOf(messages);
        json.WriteStartObject();
        json.WriteString("model", target.Model);
        json.WriteNumber("max_tokens", thinking.MaxTokens);
        var marks = !HasCacheHints();
        WriteSystem(json, messages, marks);
        messages.Write(json);
        new AnthropicTools(request, target).Write(json, messages, thinking.IsOn, marks);
        WriteSampling(json, thinking.IsOn);
        WriteThinking(json, thinking);
        WriteOutputConfig(json);
        WriteRest(json);
        json.WriteEndObject();
    }

    private void WriteSystem(Utf8JsonWriter json, AnthropicMessages messages, bool marks)
    {
        var blocks = request.System.Concat(messages.LateSystem).Where(block => !string.IsNullOrWhiteSpace(block.Text)).ToList();
        if (AnthropicFormat.WantsBareObject(request))
        {
            blocks.Add(new(AnthropicFormat.AskForObject));
        }
        if (blocks.Count == 0)
        {
            return;
        }

        // A long prompt is worth caching at the provider even when the client, like every OpenAI client, cannot ask for it.
        if (marks && blocks.Sum(block => TokenEstimate.Of(block.Text)) >= WorthCaching)
        {
            blocks[^1] = blocks[^1] with { Cache = new(null) };
        }
        if (blocks.TrueForAll(block => block.Cache is null))
        {
            json.WriteString("system", string.Join("\n\n", blocks.Select(block => block.Text)));
            return;
        }
        json.WriteStartArray("system");
        foreach (var block in blocks)
        {
            json.WriteStartObject();
            json.WriteString("type", "text");
            json.WriteString("text", block.Text);
            WriteCache(json, block.Cache);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private void WriteSampling(Utf8JsonWriter json, bool isThinking)
    {
        var sampling = request.Sampling;
        if (isNewer || isThinking)
        {
            if (sampling != Sampling.Default)
            {
                request.Warn("sampling dropped: the provider takes none here");
            }
        }
        else
        {
            json.WriteIfAny("temperature", sampling.Temperature is { } temperature ? Math.Min(temperature, 1) : null);
            json.WriteIfAny("top_p", sampling.Temperature is null ? sampling.TopP : null);
            json.WriteIfAny("top_k", sampling.TopK);
        }
        if (sampling.Temperature > 1)
        {
            request.Warn("temperature lowered to 1");
        }
        var stops = request.Stop.Where(stop => !string.IsNullOrWhiteSpace(stop)).ToList();
        if (stops.Count > 0)
        {
            json.WriteStartArray("stop_sequences");
            stops.ForEach(json.WriteStringValue);
            json.WriteEndArray();
        }
        if (stops.Count < request.Stop.Count)
        {
            request.Warn("blank stop sequences dropped");
        }
        WarnOfDropped();
    }

    private void WarnOfDropped()
    {
        if (request.Sampling.FrequencyPenalty is not null || request.Sampling.PresencePenalty is not null)
        {
            request.Warn("penalties dropped: Anthropic's dialect has none");
        }
        if (request.Seed is not null)
        {
            request.Warn("seed dropped: Anthropic's dialect has none");
        }
        if (request.Logprobs)
        {
            request.Warn("logprobs dropped: Anthropic's dialect has none");
        }
        if (request.Metadata is not null)
        {
            request.Warn("metadata dropped: Anthropic's dialect has none");
        }
    }

    private readonly record struct Thinking(bool IsOn, int? Budget, int MaxTokens);

    private Thinking ThinkingOf(AnthropicMessages messages)
    {
        var maxTokens = request.MaxOutput ?? DefaultMaxOutput;
        if (request.Reasoning is not { } reasoning || reasoning.Effort == Effort.None)
        {
            return new(false, null, maxTokens);
        }
        if (messages.ForbidThinking)
        {
            request.Warn("thinking turned off: the history does not hold the thoughts it would need");
            return new(false, null, maxTokens);
        }
        if (isNewer && reasoning.Budget is null)
        {
            return new(reasoning.Mode is not null || request.Source != Dialect.Anthropic, null, maxTokens);
        }
        var budget = reasoning.Budget ?? BudgetOf(reasoning.Effort ?? Effort.Medium);
        if (request.MaxOutput is null)
        {
            return new(true, budget, maxTokens + budget);
        }
        if (budget < maxTokens)
        {
            return new(true, budget, maxTokens);
        }
        if (maxTokens <= LeastBudget)
        {
            request.Warn("thinking turned off: max_tokens leaves no room for it");
            return new(false, null, maxTokens);
        }
        request.Warn("thinking budget shrunk below max_tokens");
        return new(true, Math.Max(LeastBudget, maxTokens / 2), maxTokens);
    }

    private static int BudgetOf(Effort effort) => effort switch
    {
        Effort.None or Effort.Minimal or Effort.Low => LeastBudget,
        Effort.Medium => 8192,
        Effort.High => 24_576,
        Effort.ExtraHigh or Effort.Max => 32_768,
    };

    private void WriteThinking(Utf8JsonWriter json, Thinking thinking)
    {
        if (request.Reasoning is not { } reasoning || (!thinking.IsOn && reasoning.Effort != Effort.None))
        {
            return;
        }
        json.WriteStartObject("thinking");
        if (!thinking.IsOn)
        {
            json.WriteString("type", "disabled");
        }
        else if (thinking.Budget is { } budget)
        {
            json.WriteString("type", "enabled");
            json.WriteNumber("budget_tokens", budget);
        }
        else
        {
            json.WriteString("type", reasoning.Mode ?? "adaptive");
        }
        if (isNewer && thinking.IsOn)
        {
            json.WriteIfAny("display", reasoning.Display);
        }
        json.WriteEndObject();
    }

    private void WriteOutputConfig(Utf8JsonWriter json)
    {
        if (!isNewer)
        {
            return;
        }
        var effort = request.Reasoning?.Effort switch
        {
            Effort.Minimal or Effort.Low => "low",
            Effort.Medium => "medium",
            Effort.High => "high",
            Effort.ExtraHigh => "xhigh",
            Effort.Max => "max",
            Effort.None or null => null,
        };
        var schema = request.Format?.Schema;
        if (effort is null && schema is null)
        {
            return;
        }
        json.WriteStartObject("output_config");
        json.WriteIfAny("effort", effort);
        if (schema is { } wanted)
        {
            json.WriteStartObject("format");
            json.WriteString("type", "json_schema");
            json.WriteElement("schema", wanted);
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }

    private void WriteRest(Utf8JsonWriter json)
    {
        if (request.UserId is { } user)
        {
            json.WriteStartObject("metadata");
            json.WriteString("user_id", user);
            json.WriteEndObject();
        }
        switch (request.ServiceTier)
        {
            case "auto":
                json.WriteString("service_tier", "auto");
                break;
            case "default" or "standard_only":
                json.WriteString("service_tier", "standard_only");
                break;
            case not null:
                request.Warn("service_tier dropped: Anthropic's dialect does not know that tier");
                break;
        }
        if (request.Stream)
        {
            json.WriteBoolean("stream", true);
        }
        foreach (var field in request.Extra)
        {
            if (request.Source == Dialect.Anthropic)
            {
                json.WriteElement(field.Name, field.Value);
            }
            else
            {
                request.Warn($"{field.Name} dropped: Anthropic's dialect has none");
            }
        }
    }

    internal static void WriteCache(Utf8JsonWriter json, CacheHint? cache)
    {
        if (cache is null)
        {
            return;
        }
        json.WriteStartObject("cache_control");
        json.WriteString("type", "ephemeral");
        json.WriteIfAny("ttl", cache.Lifetime);
        json.WriteEndObject();
    }

    private bool HasCacheHints() =>
        request.System.Any(block => block.Cache is not null)
        || request.Tools.Any(tool => tool.Cache is not null)
        || request.Turns.Any(turn => turn.Parts.Any(part => part.Cache is not null))
        || request.Extra.Any(field => field.Name == "cache_control");
}
