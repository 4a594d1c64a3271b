using System.Text.Json;
using System.Text.Json.Nodes;

namespace Stoa.Gateway.Configuration;

/// <summary>
/// The models that an installation knows from the start. A row of the same service and name wins; prices are those that the providers
/// published, in US dollars for a million tokens, and operators keep them current by such rows.
/// </summary>
internal static class KnownModels
{
    private static readonly Seed[] Seeds =
    [
        new("openai", "gpt-5", "GPT-5", 400_000, 128_000, 1.25m, 10m, 0.125m) { Reasons = true, Sees = true, ReadsFiles = true },
        new("openai", "gpt-5-mini", "GPT-5 mini", 400_000, 128_000, 0.25m, 2m, 0.025m) { Reasons = true, Sees = true, ReadsFiles = true },
        new("openai", "gpt-5-nano", "GPT-5 nano", 400_000, 128_000, 0.05m, 0.4m, 0.005m) { Reasons = true, Sees = true, ReadsFiles = true },
        new("openai", "gpt-4.1", "GPT-4.1", 1_047_576, 32_768, 2m, 8m, 0.5m) { Sees = true, ReadsFiles = true },
        new("openai", "gpt-4.1-mini", "GPT-4.1 mini", 1_047_576, 32_768, 0.4m, 1.6m, 0.1m) { Sees = true, ReadsFiles = true },
        new("openai", "gpt-4o", "GPT-4o", 128_000, 16_384, 2.5m, 10m, 1.25m) { Sees = true, ReadsFiles = true },
        new("openai", "gpt-4o-mini", "GPT-4o mini", 128_000, 16_384, 0.15m, 0.6m, 0.075m) { Sees = true, ReadsFiles = true },
        new("openai", "o3", "o3", 200_000, 100_000, 2m, 8m, 0.5m) { Reasons = true, Sees = true, ReadsFiles = true },
        new("openai", "o4-mini", "o4-mini", 200_000, 100_000, 1.1m, 4.4m, 0.275m) { Reasons = true, Sees = true, ReadsFiles = true },
        new("openai", "text-embedding-3-small", "Text Embedding 3 Small", 8_191, 0, 0.02m, 0m, null) { Type = "embedding" },
        new("openai", "text-embedding-3-large", "Text Embedding 3 Large", 8_191, 0, 0.13m, 0m, null) { Type = "embedding" },
        new("openai", "gpt-image-1", "GPT Image 1", 32_000, 0, 5m, 40m, 1.25m) { Type = "image" },
        new("openai_completion", "gpt-4.1", "GPT-4.1", 1_047_576, 32_768, 2m, 8m, 0.5m) { Sees = true },
        new("openai_completion", "gpt-4o", "GPT-4o", 128_000, 16_384, 2.5m, 10m, 1.25m) { Sees = true },
        new("openai_completion", "gpt-4o-mini", "GPT-4o mini", 128_000, 16_384, 0.15m, 0.6m, 0.075m) { Sees = true },
        new("anthropic", "claude-opus-4-1", "Claude Opus 4.1", 200_000, 32_000,
            15m, 75m, 1.5m) { Sees = true, ReadsFiles = true, CacheWrite = 18.75m },
        new("anthropic", "claude-sonnet-4-5", "Claude Sonnet 4.5", 200_000, 64_000,
            3m, 15m, 0.3m) { Sees = true, ReadsFiles = true, CacheWrite = 3.75m },
        new("anthropic", "claude-haiku-4-5", "Claude Haiku 4.5", 200_000, 64_000,
            1m, 5m, 0.1m) { Sees = true, ReadsFiles = true, CacheWrite = 1.25m },
        new("anthropic", "claude-3-7-sonnet-latest", "Claude 3.7 Sonnet", 200_000,
            64_000, 3m, 15m, 0.3m) { Sees = true, ReadsFiles = true, CacheWrite = 3.75m },
        new("anthropic", "claude-3-5-haiku-latest", "Claude 3.5 Haiku", 200_000, 8_192, 0.8m, 4m, 0.08m) { Sees = true, CacheWrite = 1m },
        new("gemini", "gemini-2.5-pro", "Gemini 2.5 Pro", 1_048_576, 65_536,
            1.25m, 10m, 0.125m) { Reasons = true, Sees = true, ReadsFiles = true },
        new("gemini", "gemini-2.5-flash", "Gemini 2.5 Flash", 1_048_576, 65_536,
            0.3m, 2.5m, 0.03m) { Reasons = true, Sees = true, ReadsFiles = true },
        new("gemini", "gemini-2.5-flash-lite", "Gemini 2.5 Flash-Lite", 1_048_576,
            65_536, 0.1m, 0.4m, 0.01m) { Sees = true, ReadsFiles = true },
        new("gemini", "gemini-embedding-001", "Gemini Embedding", 2_048, 0, 0.15m, 0m, null) { Type = "embedding" },
        new("gemini", "gemini-2.5-flash-image", "Gemini 2.5 Flash Image", 32_768, 0, 0.3m, 30m, null) { Type = "image", Sees = true },
        new("gemini", "imagen-4.0-generate-001", "Imagen 4", 480, 0, null, null, null) { Type = "image" },
        new("groq", "llama-3.3-70b-versatile", "Llama 3.3 70B", 131_072, 32_768, 0.59m, 0.79m, null),
        new("groq", "llama-3.1-8b-instant", "Llama 3.1 8B", 131_072, 131_072, 0.05m, 0.08m, null),
        new("groq", "openai/gpt-oss-120b", "GPT OSS 120B", 131_072, 65_536, 0.15m, 0.6m, 0.075m) { Reasons = true },
        new("grok", "grok-4", "Grok 4", 256_000, 64_000, 3m, 15m, 0.75m) { Sees = true },
        new("grok", "grok-4-fast", "Grok 4 Fast", 2_000_000, 30_000, 0.2m, 0.5m, 0.05m) { Sees = true },
        new("open_router", "deepseek/deepseek-chat-v3-0324:free", "DeepSeek V3 (free)", 163_840, 16_384, 0m, 0m, null),
        new("open_router", "openai/gpt-4o-mini", "GPT-4o mini", 128_000, 16_384, 0.15m, 0.6m, 0.075m) { Sees = true },
        new("mistral", "mistral-large-latest", "Mistral Large", 131_072, 32_768, 2m, 6m, null) { Sees = true },
        new("mistral", "mistral-medium-latest", "Mistral Medium", 131_072, 32_768, 0.4m, 2m, null) { Sees = true },
        new("mistral", "mistral-small-latest", "Mistral Small", 131_072, 32_768, 0.1m, 0.3m, null) { Sees = true },
        new("mistral", "mistral-embed", "Mistral Embed", 8_192, 0, 0.1m, 0m, null) { Type = "embedding" },
        new("ai_ml", "gpt-oss-20b", "GPT OSS 20B", 131_072, 32_768, null, null, null),
        new("ai_ml", "gpt-oss-120b", "GPT OSS 120B", 131_072, 32_768, null, null, null),
        new("deepgram", "nova-3", "Nova 3", 0, 0, null, null, null) { Type = "chat" },
        new("neev_cloud", "gpt-oss-120b", "GPT OSS 120B", 131_072, 32_768, null, null, null),
        new("moonshot", "kimi-k2.6", "Kimi K2.6", 262_144, 32_768, null, null, null),
        new("deepseek", "deepseek-v4-flash", "DeepSeek V4 Flash", 128_000, 32_768, null, null, null),
        new("deepseek", "deepseek-chat", "DeepSeek Chat", 128_000, 8_192, 0.28m, 0.42m, 0.028m),
        new("deepseek", "deepseek-reasoner", "DeepSeek Reasoner", 128_000, 65_536, 0.28m, 0.42m, 0.028m),
        new(ProviderService.Demo, "demo", "Demo", 128_000, 4_096, 0m, 0m, null) { Sees = true, ReadsFiles = true },
    ];

    public static IReadOnlyList<ModelDocument> All { get; } = [.. Seeds.Select(DocumentOf)];

    /// <summary>For a model that only the settings name.</summary>
    public static ModelDocument Plain(string service, string model) => DocumentOf(new(service, model, model, 0, 32_768, null, null, null));

    private static ModelDocument DocumentOf(Seed seed) => new(
        seed.Service, seed.Model, seed.Title, OrganizationId: null, IsEnabled: true,
        Element(ParametersOf(seed)), Element(AbilitiesOf(seed)), Element(OutputOf(seed)));

    private static JsonObject ParametersOf(Seed seed)
    {
        var parameters = new JsonObject { ["model"] = new JsonObject { ["field"] = "drop", ["default"] = seed.Model, ["level"] = 1 } };
        if (seed.Type == "embedding")
        {
            return parameters;
        }
        if (seed.Service == "deepgram")
        {
            parameters["language"] = new JsonObject { ["field"] = "text", ["default"] = "en", ["level"] = 0 };
            foreach (var wish in (string[])["smart_format", "detect_language",
                "diarize", "filler_words", "punctuate", "numerals", "detect_entities"])
            {
                parameters[wish] = new JsonObject { ["field"] = "boolean", ["default"] = false, ["level"] = 0 };
            }
            return parameters;
        }
        if (seed.Type == "image")
        {
            if (seed.Service == "gemini")
            {
                parameters["aspect_ratio"] = Select("1:1", ["1:1", "3:4", "4:3", "9:16", "16:9"]);
                return parameters;
            }
            parameters["size"] = Select("auto", ["auto", "1024x1024", "1536x1024", "1024x1536"]);
            parameters["quality"] = Select("auto", ["auto", "low", "medium", "high"]);
            return parameters;
        }
        var isAnthropic = seed.Service == "anthropic";
        var isOpenAi = seed.Service is "openai" or "openai_completion";
        if (!(isOpenAi && seed.Reasons))
        {
            parameters["creativity_level"] = Slider(1m, 0m, isAnthropic ? 1m : 2m, 0.1m);
            parameters["probability_cutoff"] = Slider(1m, 0m, 1m, 0.1m);
        }
        if (isAnthropic || seed.Service is "gemini" or "open_router")
        {
            parameters["token_selection_limit"] = Slider(40m, 1m, 500m, 1m);
        }
        if (!isAnthropic && seed.Service != "openai" && !seed.Reasons)
        {
            parameters["repetition_penalty"] = Slider(0m, -2m, 2m, 0.1m);
            parameters["novelty_penalty"] = Slider(0m, -2m, 2m, 0.1m);
            parameters["additional_stop_sequences"] = new JsonObject { ["field"] = "text", ["default"] = "", ["level"] = 0 };
        }
        if (seed.Reasons)
        {
            parameters["reasoning"] = Select("low", ["low", "medium", "high"]);
        }
        parameters["max_tokens"] = Slider(Math.Min(seed.MaxOutput, 4_096), 1m, Math.Max(1, seed.MaxOutput), 1m);
        parameters["parallel_tool_calls"] = new JsonObject { ["field"] = "boolean", ["default"] = true, ["level"] = 0 };
        parameters["response_type"] = new JsonObject
        {
            ["field"] = "select",
            ["options"] = new JsonArray(TypeOf("text"), TypeOf("json_object"), TypeOf("json_schema")),
            ["default"] = TypeOf("text"),
            ["level"] = 0,
        };
        return parameters;
    }

    private static JsonObject AbilitiesOf(Seed seed) => new()
    {
        ["type"] = seed.Type,
        ["vision"] = seed.Sees,
        ["files"] = seed.ReadsFiles,
        ["tools"] = seed.Type == "chat" && seed.Service != "deepgram",
        ["system_prompt"] = seed.Type == "chat" && seed.Service != "deepgram",
        ["specification"] = new JsonObject { ["context_window"] = seed.Context,
            ["description"] = "", ["knowledge_cutoff"] = "", ["use_case"] = new JsonArray() },
    };

    private static JsonObject OutputOf(Seed seed) => new()
    {
        ["usage"] = new JsonArray(new JsonObject
        {
            ["prompt_tokens"] = "usage.prompt_tokens",
            ["completion_tokens"] = "usage.completion_tokens",
            ["total_tokens"] = "usage.total_tokens",
            ["total_cost"] = seed.Input is null ? new JsonObject() : new JsonObject
            {
                ["input_cost"] = seed.Input,
                ["output_cost"] = seed.Output,
                ["cached_cost"] = seed.Cached ?? 0,
                ["caching_read_cost"] = seed.Cached ?? 0,
                ["caching_write_cost"] = seed.CacheWrite,
            },
        }),
        ["message"] = "choices[0].message.content",
        ["tools"] = "choices[0].message.tool_calls",
        ["id"] = "id",
    };

    private static JsonObject Slider(decimal start, decimal least, decimal most, decimal step) => new()
    {
        ["field"] = "slider",
        ["default"] = start,
        ["min"] = least,
        ["max"] = most,
        ["step"] = step,
        ["level"] = 0,
    };

    private static JsonObject Select(string start, string[] options) => new()
    {
        ["field"] = "select",
        ["default"] = start,
        ["options"] = new JsonArray([.. options.Select(option => JsonValue.Create(option))]),
        ["level"] = 0,
    };

    private static JsonObject TypeOf(string type) => new() { ["type"] = type };

    private static JsonElement Element(JsonObject value) => JsonSerializer.SerializeToElement(value, GatewayJson.Default.JsonObject);

    /// <summary>Prices are null where they are not published.</summary>
    private sealed record Seed(
        string Service, string Model, string Title, int Context, int MaxOutput, decimal? Input, decimal? Output, decimal? Cached)
    {
        public string Type { get; init; } = "chat";

        public bool Reasons { get; init; }

        public bool Sees { get; init; }

        public bool ReadsFiles { get; init; }

        public decimal CacheWrite { get; init; }
    }
}
