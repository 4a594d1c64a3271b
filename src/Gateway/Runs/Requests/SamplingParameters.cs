using System.Text.Json;
using System.Text.Json.Nodes;
using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Runs.Requests;

/// <summary>Gives the neutral parameters of a model their place in the canonical request.</summary>
internal static class SamplingParameters
{
    public static ChatRequest Apply(ChatRequest request, JsonObject parameters) => request with
    {
        Sampling = new(
            parameters["creativity_level"].AsNumber(), parameters["probability_cutoff"].AsNumber(),
            Whole(parameters["token_selection_limit"]),
            parameters["repetition_penalty"].AsNumber(), parameters["novelty_penalty"].AsNumber()),
        MaxOutput = Whole(parameters["max_tokens"]) is { } most and > 0 ? most : null,
        Stop = StopsOf(parameters["additional_stop_sequences"]),
        Reasoning = ReasoningOf(parameters["reasoning"]),
        Parallel = parameters.Flag("parallel_tool_calls"),
        Seed = Whole(parameters["seed"]),
        Logprobs = parameters.Is("log_probability"),
        Extra = request.Source == Dialect.OpenAi && parameters["verbosity"] is { } verbosity
            ? [new("verbosity", JsonSerializer.SerializeToElement(verbosity, GatewayJson.Default.JsonNode))]
            : [],
    };

    private static int? Whole(JsonNode? number) => number.AsNumber() is { } value && Math.Abs(value) < int.MaxValue ? (int)value : null;

    private static List<string> StopsOf(JsonNode? stops) => stops switch
    {
        JsonArray list => [.. list.Texts().Where(stop => stop.Length > 0)],
        _ => stops.AsText() is { Length: > 0 } one ? [one] : [],
    };

    /// <summary><c>{key, type}</c>, or the effort alone.</summary>
    private static Reasoning? ReasoningOf(JsonNode? reasoning)
    {
        var word = reasoning.AsText() ?? (reasoning as JsonObject).Text("type")
            ?? (reasoning as JsonObject).Text("key") ?? (reasoning as JsonObject).Text("effort");
        return word?.ToLowerInvariant() switch
        {
            "none" => new(Effort.None),
            "minimal" => new(Effort.Minimal),
            "low" => new(Effort.Low),
            "medium" => new(Effort.Medium),
            "high" => new(Effort.High),
            "xhigh" => new(Effort.ExtraHigh),
            "max" => new(Effort.Max),
            _ => null,
        };
    }
}
